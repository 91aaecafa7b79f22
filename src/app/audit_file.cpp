#include "app/audit_file.hpp"

#include "app/output.hpp"

#include <boost/json.hpp>

#include <fstream>
#include <iterator>

namespace satchel::app {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

Result<std::ifstream> open_file(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return refuse("cannot read " + file.string(), Errc::not_found);
    return in;
}

std::optional<json::object> parse_object(std::string_view text) {
    boost::system::error_code error;
    json::value value = json::parse(text, error);
    if (error || !value.is_object()) return std::nullopt;
    return std::move(value.get_object());
}

template <class T>
std::optional<T> parse_line(const std::string& line,
                            std::optional<T> (*read)(const json::object&)) {
    const auto object = parse_object(line);
    return object ? read(*object) : std::nullopt;
}

std::unexpected<Error> not_signed(const fs::path& file, std::string_view what) {
    return refuse(file.string() + ": " + std::string(what) + " was changed after it was signed",
                  Errc::corrupt);
}

Result<> keep(KeptPositions& kept,
              bool& is_first,
              const AuditKey& key,
              const AuditPosition& position,
              const fs::path& file) {
    if (is_first) kept.key = key;
    is_first = false;
    if (kept.key != key) {
        return refuse(file.string() + " holds heads of several audits; keep one file for each",
                      Errc::corrupt);
    }
    const auto [found, is_new] = kept.anchors.emplace(position.seq, position.hash);
    if (!is_new && found->second != position.hash) {
        return refuse(file.string() + " holds two different entries " +
                          std::to_string(position.seq) + ": the audit was replaced between the two",
                      Errc::corrupt);
    }
    return {};
}

}  // namespace

ExportCheck::ExportCheck(const AuditStart& start, AuditAnchors anchors)
    : start_(start), walk_(start.position, std::move(anchors)) {}

AuditVerdict ExportCheck::verdict() const {
    return {.start = start_.position,
            .end = walk_.at(),
            .origin = start_.origin.value_or(AuditOrigin{}),
            .key = start_.key,
            .problem = walk_.problem()};
}

AuditVerdict ExportCheck::give_up(std::string why) const {
    AuditVerdict out = verdict();
    if (!out.problem) out.problem = std::move(why);
    return out;
}

AuditVerdict ExportCheck::finish(const AuditHead& head) {
    walk_.finish(head.position);
    const bool fits_origin =
        !start_.origin || crypto::origin_hash(start_.key, *start_.origin) == start_.position.hash;
    if (start_.key != head.key || !fits_origin) return give_up("its first line was changed");
    if (!crypto::is_signed(head)) {
        return give_up("its last line was changed, or was signed by another key");
    }
    return verdict();
}

Result<VerifiedExport> verify_export(const fs::path& file,
                                     AuditAnchors anchors,
                                     const ExportVisitor& visitor) {
    TRY(std::ifstream in, open_file(file));
    std::string line;
    std::getline(in, line);
    const auto start = parse_line(line, audit_start_from);
    if (!start) {
        return refuse(file.string() + " is no audit export, or its first line was changed",
                      Errc::corrupt);
    }
    if (visitor.start) visitor.start(*start);
    ExportCheck check(*start, std::move(anchors));
    VerifiedExport out;
    std::optional<AuditHead> head;
    std::string problem;
    for (std::size_t number = 2; std::getline(in, line) && problem.empty(); ++number) {
        const auto link = head ? std::nullopt : parse_line(line, audit_link_from);
        if (link) {
            check.take(*link);
            if (visitor.link) visitor.link(*link);
        } else if (!head) {
            head = parse_line(line, audit_head_from);
            if (head && visitor.head) visitor.head(*head);
            if (!head) problem = "line " + std::to_string(number) + " was changed";
        } else {
            problem = "line " + std::to_string(number) + " stands behind the signed head";
        }
    }
    if (problem.empty() && !head)
        problem = "it was cut: its last line, the signed head, is missing";
    out.verdict = problem.empty() ? check.finish(*head) : check.give_up(problem);
    out.entries = check.at() - start->position.seq;
    return out;
}

Result<AuditReceipt> verify_receipt(const fs::path& file) {
    TRY(std::ifstream in, open_file(file));
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto receipt = parse_line(text, audit_receipt_from);
    if (!receipt) return refuse(file.string() + " is no audit receipt", Errc::corrupt);
    if (!crypto::is_signed(*receipt)) return not_signed(file, "the receipt");
    return *receipt;
}

Result<KeptPositions> read_positions(const fs::path& file) {
    TRY(std::ifstream in, open_file(file));
    KeptPositions kept;
    bool is_first = true;
    for (std::string line; std::getline(in, line);) {
        if (const auto head = parse_line(line, audit_head_from)) {
            if (!crypto::is_signed(*head)) return not_signed(file, "a head");
            CHECK(keep(kept, is_first, head->key, head->position, file));
        } else if (const auto receipt = parse_line(line, audit_receipt_from)) {
            if (!crypto::is_signed(*receipt)) return not_signed(file, "a receipt");
            const AuditLink& link = receipt->link;
            CHECK(keep(kept, is_first, receipt->key, {link.seq, link.hash}, file));
            CHECK(keep(kept, is_first, receipt->key, receipt->head, file));
        }
    }
    if (is_first) {
        return refuse(file.string() + " holds no signed head; satchel audit head prints one",
                      Errc::corrupt);
    }
    return kept;
}

}  // namespace satchel::app
