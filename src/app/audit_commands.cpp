// satchel audit.
#include "app/audit_file.hpp"
#include "app/audit_source.hpp"
#include "app/commands.hpp"
#include "base/bytes.hpp"
#include "base/log.hpp"
#include "base/rfc3339.hpp"

#include <fmt/core.h>

#include <boost/json.hpp>

#include <functional>

namespace satchel::app {
std::optional<Time> parse_since(const std::string& text) {
    const bool is_day = text.find('T') == std::string::npos;
    return parse_rfc3339(is_day ? text + "T00:00:00Z" : text);
}

namespace {

namespace json = boost::json;

void print_line(const json::value& value) {
    print(json::serialize(value) + "\n");
}

// Entries from the first to the last that is there, one by one.
Result<> for_each_entry(AuditSource& source, const std::function<bool(const AuditLink&)>& visit) {
    std::uint64_t after = 0;
    while (true) {
        TRY(const auto links, source.page(after));
        if (links.empty()) return {};
        for (const AuditLink& link : links) {
            if (!visit(link)) return {};
        }
        after = links.back().seq;
    }
}

struct Filter {
    std::optional<PartnerId> partner;
    std::optional<Time> since;

    explicit Filter(const AuditOptions& options) {
        if (!options.partner.empty()) partner = PartnerId::parse(options.partner);
        if (!options.since.empty()) since = parse_since(options.since);
    }
    bool takes(const AuditEntry& entry) const {
        return (!partner || entry.partner == *partner) && (!since || entry.at >= *since);
    }
};

// One row at a time: an audit may be longer than memory.
std::string table_row(std::string_view seq,
                      std::string_view time,
                      std::string_view partner,
                      std::string_view attachment,
                      std::string_view cause,
                      std::string_view actor) {
    return fmt::format("{:>8}  {:<20}  {:<36}  {:<36}  {:<14}  {}\n", seq, time, partner,
                       attachment, cause, actor);
}

std::string table_row(const AuditLink& link) {
    const AuditEntry& entry = link.entry;
    return table_row(std::to_string(link.seq), to_rfc3339_seconds(entry.at), entry.partner.str(),
                     entry.attachment.str(), printable(entry.cause), printable(entry.actor));
}

json::object render(const AuditVerdict& verdict, std::uint64_t entries) {
    json::object out{{"intact", !verdict.problem.has_value()},
                     {"entries", entries},
                     {"problem", nullptr},
                     {"start", {{"seq", verdict.start.seq}, {"hash", to_hex(verdict.start.hash)}}},
                     {"end", {{"seq", verdict.end.seq}, {"hash", to_hex(verdict.end.hash)}}},
                     {"key", to_hex(verdict.key)},
                     {"begun_at", nullptr},
                     {"inherited", verdict.origin.inherited}};
    if (verdict.problem) out["problem"] = *verdict.problem;
    if (verdict.origin.begun_at != Time{}) out["begun_at"] = to_rfc3339(verdict.origin.begun_at);
    return out;
}

void print_verdict(const AuditVerdict& verdict, std::uint64_t entries) {
    print("verified " + std::to_string(entries) + " entries: none changed, left out or cut\n");
    if (verdict.start.seq > 0) {
        print("from   entry " + std::to_string(verdict.start.seq + 1) +
              "; those before it went as they were signed to, or were not asked for\n");
    }
    print("end    " + std::to_string(verdict.end.seq) + " " + to_hex(verdict.end.hash) + "\n");
    print("key    " + to_hex(verdict.key) + "\n");
    if (verdict.origin.begun_at == Time{}) return;
    print("begun  " + to_rfc3339_seconds(verdict.origin.begun_at));
    if (verdict.origin.inherited > 0) {
        print(", over " + std::to_string(verdict.origin.inherited) +
              " entries of before, which nothing protected until then");
    }
    print("\n");
}

Result<> check_key(const AuditOptions& options,
                   const std::optional<KeptPositions>& kept,
                   const AuditKey& key) {
    if (!options.key.empty() && options.key != to_hex(key)) {
        return refuse("it was signed by another key, " + to_hex(key), Errc::corrupt);
    }
    if (kept && kept->key != key) {
        return refuse(options.head + " was signed by another key, " + to_hex(kept->key),
                      Errc::corrupt);
    }
    return {};
}

Result<int> verify_one_receipt(const AuditOptions& options,
                               const std::optional<KeptPositions>& kept) {
    TRY(const AuditReceipt receipt, verify_receipt(options.receipt));
    CHECK(check_key(options, kept, receipt.key));
    if (options.format == Format::json) {
        print_line(json::object{{"intact", true},
                                {"key", to_hex(receipt.key)},
                                {"issued_at", to_rfc3339(receipt.issued_at)},
                                {"entry", to_json(receipt.link)}});
        return 0;
    }
    print("the receipt is genuine\n" + table_row(receipt.link));
    print("issued " + to_rfc3339_seconds(receipt.issued_at) + "\n");
    print("key    " + to_hex(receipt.key) + "\n");
    return 0;
}

Result<VerifiedExport> verify_source(const AuditOptions& options, const AuditAnchors& anchors) {
    if (!options.file.empty()) return verify_export(options.file, anchors);
    TRY(const auto source, open_audit_source(options.source));
    TRY(const AuditVerdict verdict, source->verify(anchors));
    return VerifiedExport{verdict, verdict.end.seq - verdict.start.seq};
}

}  // namespace

Result<int> audit_list(const AuditOptions& options) {
    log::set_level(log::Level::off);
    TRY(const auto source, open_audit_source(options.source));
    const Filter filter(options);
    const bool is_json = options.format == Format::json;
    std::size_t shown = 0;
    if (is_json) print("[");
    const auto listed = for_each_entry(*source, [&](const AuditLink& link) {
        if (!filter.takes(link.entry)) return true;
        if (is_json) {
            print((shown == 0 ? "" : ",") + json::serialize(to_json(link)));
        } else {
            if (shown == 0) {
                print(table_row("ENTRY", "TIME", "PARTNER ID", "ATTACHMENT ID", "CAUSE", "ACTOR"));
            }
            print(table_row(link));
        }
        ++shown;
        return true;
    });
    if (is_json) print("]\n");
    if (!listed) return std::unexpected(listed.error());
    if (!is_json && shown == 0) print("Nothing was deleted.\n");
    return 0;
}

Result<int> audit_export(const AuditOptions& options) {
    log::set_level(log::Level::off);
    TRY(const auto source, open_audit_source(options.source));
    TRY(const AuditHead head, source->head());
    TRY(AuditStart start, source->start());
    const Filter filter(options);
    bool is_started = false;
    const auto begin = [&] {
        if (!is_started) print_line(to_json(start));
        is_started = true;
    };
    CHECK(for_each_entry(*source, [&](const AuditLink& link) {
        if (link.seq > head.position.seq) return false;
        // From the first that is late enough on, all: a gap could not be verified.
        if (!is_started && !filter.takes(link.entry)) {
            start.position = {link.seq, link.hash};
            start.origin.reset();
            return true;
        }
        begin();
        print_line(to_json(link));
        return true;
    }));
    begin();
    print_line(to_json(head));
    return 0;
}

Result<int> audit_head(const AuditOptions& options) {
    log::set_level(log::Level::off);
    TRY(const auto source, open_audit_source(options.source));
    TRY(const AuditHead head, source->head());
    print_line(to_json(head));
    return 0;
}

Result<int> audit_receipt(const AuditOptions& options, const std::string& attachment) {
    log::set_level(log::Level::off);
    TRY(const auto source, open_audit_source(options.source));
    const auto id = AttachmentId::parse(attachment);
    if (!id) return refuse("an attachment is named by its id, a UUID");
    TRY(const AuditReceipt receipt, source->receipt(*id));
    print_line(to_json(receipt));
    return 0;
}

Result<int> audit_verify(const AuditOptions& options) {
    log::set_level(log::Level::off);
    std::optional<KeptPositions> kept;
    if (!options.head.empty()) {
        TRY(kept, read_positions(options.head));
    }
    if (!options.receipt.empty()) return verify_one_receipt(options, kept);

    TRY(const VerifiedExport verified,
        verify_source(options, kept ? kept->anchors : AuditAnchors{}));
    const AuditVerdict& verdict = verified.verdict;
    if (options.format == Format::json) {
        if (!verdict.problem) CHECK(check_key(options, kept, verdict.key));
        print_line(render(verdict, verified.entries));
        return verdict.problem ? 1 : 0;
    }
    if (verdict.problem) {
        return refuse(
            "the audit is broken: " + *verdict.problem + "; compare it with an export or a backup",
            Errc::corrupt);
    }
    CHECK(check_key(options, kept, verdict.key));
    print_verdict(verdict, verified.entries);
    return 0;
}

}  // namespace satchel::app
