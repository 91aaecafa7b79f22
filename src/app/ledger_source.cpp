#include "app/ledger_source.hpp"

#include "app/audit_file.hpp"
#include "app/audit_source.hpp"
#include "app/output.hpp"

#include <algorithm>
#include <string>

namespace satchel::app {
namespace {

namespace fs = std::filesystem;

// Keeps what stands behind the base, and notices whether the base itself was passed.
class Collector {
public:
    Collector(std::string name, const LedgerBase& base) : name_(std::move(name)), base_(base) {}

    void start(const AuditStart& start) {
        key_ = start.key;
        begins_at_ = start.position.seq;
        pass(start.position);
    }
    void take(const AuditLink& link) {
        if (link.seq > base_.end.seq) {
            ledger_.links.push_back(link);
        } else {
            pass({link.seq, link.hash});
        }
    }
    Result<Ledger> finish(const AuditVerdict& verdict, Time issued_at) {
        if (verdict.problem) {
            return refuse(name_ + " is broken: " + *verdict.problem + "; " + other_ways,
                          Errc::corrupt);
        }
        if (key_ != base_.key || differs_) {
            return refuse(name_ + " is not of the store that was backed up, or was replaced " +
                              "since; " + other_ways,
                          Errc::corrupt);
        }
        if (begins_at_ > base_.end.seq) {
            return refuse(name_ + " begins after the backup was made, with entry " +
                              std::to_string(begins_at_ + 1) + ": export it without --since",
                          Errc::corrupt);
        }
        if (!passed_) {
            return refuse(name_ + " ends before the backup was made, so that it cannot say what " +
                              "was deleted since; " + other_ways,
                          Errc::corrupt);
        }
        ledger_.issued_at = issued_at;
        return std::move(ledger_);
    }

private:
    static constexpr const char* other_ways =
        "give another one with --ledger FILE (satchel audit export), or say --without-ledger";

    void pass(const AuditPosition& position) {
        if (position.seq != base_.end.seq) return;
        passed_ = true;
        differs_ = position.hash != base_.end.hash;
    }

    std::string name_;
    LedgerBase base_;
    AuditKey key_{};
    std::uint64_t begins_at_ = 0;
    bool passed_ = false;
    bool differs_ = false;
    Ledger ledger_;
};

}  // namespace

Result<Ledger> read_ledger_file(const fs::path& file, const LedgerBase& base) {
    Collector collector("the ledger " + file.string(), base);
    Time issued_at{};
    const ExportVisitor visitor{.start = [&](const AuditStart& start) { collector.start(start); },
                                .link = [&](const AuditLink& link) { collector.take(link); },
                                .head = [&](const AuditHead& head) { issued_at = head.issued_at; }};
    TRY(const VerifiedExport verified, verify_export(file, {}, visitor));
    return collector.finish(verified.verdict, issued_at);
}

Result<Ledger> read_ledger_store(const ServerChoice& choice, const LedgerBase& base) {
    TRY(const auto source, open_audit_source(choice));
    TRY(const AuditHead head, source->head());
    TRY(const AuditStart start, source->start());
    Collector collector("the audit of the store that is to be replaced", base);
    collector.start(start);
    ExportCheck check(start, {});
    while (!check.is_over() && check.at() < head.position.seq) {
        TRY(const auto links, source->page(check.at()));
        if (links.empty()) break;
        for (const AuditLink& link : links) {
            check.take(link);
            collector.take(link);
        }
    }
    return collector.finish(check.finish(head), head.issued_at);
}

Result<Ledger> join(Ledger one, Ledger other) {
    if (one.links.size() < other.links.size()) std::swap(one, other);
    const auto same = [](const AuditLink& a, const AuditLink& b) { return a.hash == b.hash; };
    const auto met = std::ranges::mismatch(other.links, one.links, same);
    if (met.in1 != other.links.end()) {
        return refuse(
            "the ledger and the audit of the store that is to be replaced tell "
            "different stories from entry " +
                std::to_string(met.in1->seq) +
                " on; move the store away by hand if it is the ledger that you trust",
            Errc::corrupt);
    }
    one.issued_at = std::max(one.issued_at, other.issued_at);
    return one;
}

}  // namespace satchel::app
