#include "service/fsck.hpp"

#include "meta/attachments.hpp"
#include "meta/page_checks.hpp"
#include "meta/partners.hpp"
#include "meta/stored_blobs.hpp"
#include "meta/usage.hpp"
#include "service/audit.hpp"
#include "service/stored_check.hpp"

#include <array>
#include <map>
#include <unordered_set>

namespace satchel {
namespace {

constexpr std::size_t rows_per_page = 200;

class Checker {
public:
    Checker(meta::Database& database, blob::Store& blobs, const crypto::KeyRing& keys)
        : database_(database), blobs_(blobs), check_(database, blobs, keys) {}

    Async<> check_all(Repair repair, Structures structures);
    // What comes behind it was not looked at.
    void report_unreadable(std::string detail) {
        report("corrupt_database", "database", std::move(detail), false);
    }
    FsckReport take_report() {
        report_.bytes = check_.bytes();
        return std::move(report_);
    }

private:
    Async<> check_rows();
    Async<> check_blobs(Repair repair);
    Async<bool> has_partner(const meta::AttachmentRow& row);
    Async<> check_usage(Repair repair);
    Async<> check_pages();
    Async<> check_structures();
    Async<> check_audit();
    Async<std::vector<BlobId>> without_owner(const std::vector<BlobId>& blobs);
    void report(std::string kind, std::string subject, std::string detail, bool repaired);

    meta::Database& database_;
    blob::Store& blobs_;
    StoredCheck check_;
    std::unordered_set<PartnerId, IdHash> partners_;
    FsckReport report_;
};

Async<> Checker::check_all(Repair repair, Structures structures) {
    CO_CHECK(co_await check_pages());
    if (structures == Structures::check) CO_CHECK(co_await check_structures());
    CO_CHECK(co_await check_rows());
    CO_CHECK(co_await check_blobs(repair));
    CO_CHECK(co_await check_usage(repair));
    co_return co_await check_audit();
}

void Checker::report(std::string kind, std::string subject, std::string detail, bool repaired) {
    report_.findings.push_back({std::move(kind), std::move(subject), std::move(detail), repaired});
}

Async<> Checker::check_rows() {
    AttachmentId after;
    while (true) {
        CO_TRY(const auto page, co_await database_.read([after](meta::Session& session) {
            return meta::attachments_after(session, after, rows_per_page);
        }));
        if (page.empty()) co_return Result<>{};
        for (const auto& row : page) {
            ++report_.attachments;
            CO_TRY(const bool is_owned, co_await has_partner(row));
            if (!is_owned) {
                report("corrupt_metadata", row.id.str(), "its partner is none that there is",
                       false);
            }
            CO_TRY(const auto problem, co_await check_.check(row));
            if (problem) report(problem->kind, row.id.str(), problem->detail, false);
        }
        after = page.back().id;
    }
}

Async<std::vector<BlobId>> Checker::without_owner(const std::vector<BlobId>& blobs) {
    std::vector<BlobId> found;
    for (const BlobId blob : blobs) {
        CO_TRY(const auto owner, co_await database_.read([blob](meta::Session& session) {
            return meta::owner_of_blob(session, blob);
        }));
        if (!owner) found.push_back(blob);
    }
    co_return found;
}

// A stray had no owner in two looks at the database and was in the store both times: what a
// running server removes meanwhile is gone at the second look, what it adds has an owner.
Async<> Checker::check_blobs(Repair repair) {
    CO_TRY(const auto first, co_await blobs_.list());
    report_.blobs = first.blobs.size();
    CO_TRY(const auto suspects, co_await without_owner(first.blobs));
    if (suspects.empty() && first.unknown.empty()) co_return Result<>{};

    CO_TRY(const auto second, co_await blobs_.list());
    const std::unordered_set<std::string> still_there(second.unknown.begin(), second.unknown.end());
    for (const auto& name : first.unknown) {
        if (!still_there.contains(name)) continue;
        report("unknown_file", name, "it is no blob; remove it by hand if you know it", false);
    }
    const std::unordered_set<BlobId, IdHash> present(second.blobs.begin(), second.blobs.end());
    CO_TRY(const auto strays, co_await without_owner(suspects));
    for (const BlobId stray : strays) {
        if (!present.contains(stray)) continue;
        if (repair == Repair::yes) CO_CHECK(co_await blobs_.remove(stray));
        report("stray_blob", stray.str(),
               repair == Repair::yes ? "no attachment had it; removed" : "no attachment has it",
               repair == Repair::yes);
    }
    if (repair == Repair::yes) CO_CHECK(co_await blobs_.sync_removals());
    co_return Result<>{};
}

// What is kept of each partner is what reading every attachment gives: one consistent view.
Async<> Checker::check_usage(Repair repair) {
    using UsageByPartner = std::map<std::string, std::array<meta::Usage, 2>>;
    auto compare = [](meta::Session& session) -> Result<UsageByPartner> {
        UsageByPartner all;
        TRY(const auto kept, meta::all_usage(session));
        TRY(const auto counted, meta::counted_usage(session));
        for (const meta::Usage& each : kept) all[each.partner.str()][0] = each;
        for (const meta::Usage& each : counted) all[each.partner.str()][1] = each;
        return all;
    };
    CO_TRY(const auto all, co_await database_.read(compare));
    bool is_wrong = false;
    for (const auto& [partner, usage] : all) {
        const auto& [kept, counted] = usage;
        if (kept.files() == counted.files() && kept.bytes() == counted.bytes() &&
            kept.pending == counted.pending && kept.failed == counted.failed) {
            continue;
        }
        is_wrong = true;
        report("wrong_usage", partner,
               "counted as " + std::to_string(kept.files()) + " files of " +
                   std::to_string(kept.bytes()) + " bytes; it has " +
                   std::to_string(counted.files()) + " of " + std::to_string(counted.bytes()) +
                   (repair == Repair::yes ? "; put right" : ""),
               repair == Repair::yes);
    }
    if (!is_wrong || repair == Repair::no) co_return Result<>{};
    co_return co_await database_.write(meta::recount_usage);
}

// Partners are never removed, so those that were found once are there.
Async<bool> Checker::has_partner(const meta::AttachmentRow& row) {
    if (partners_.contains(row.partner)) co_return true;
    CO_TRY(const auto found, co_await database_.read([id = row.partner](meta::Session& session) {
        return meta::find_partner(session, id);
    }));
    if (found) partners_.insert(row.partner);
    co_return found.has_value();
}

Async<> Checker::check_pages() {
    std::uint64_t from = 1;
    do {
        auto look = [from](meta::Session& session) { return meta::look_at_pages(session, from); };
        CO_TRY(const meta::PageLook pages, co_await database_.read(look));
        for (const std::uint64_t page : pages.damaged) {
            report("corrupt_database", "page " + std::to_string(page), "its checksum is wrong",
                   false);
        }
        from = pages.next;
    } while (from != 0);
    co_return Result<>{};
}

Async<> Checker::check_structures() {
    CO_TRY(const auto problems, co_await database_.read(meta::structure_problems));
    for (const std::string& problem : problems) {
        report("corrupt_database", "database", problem, false);
    }
    co_return Result<>{};
}

// Only what has a key can say whether its audit is true.
Async<> Checker::check_audit() {
    CO_TRY(const bool has_key, co_await database_.read([](meta::Session& session) -> Result<bool> {
        return session.audit_signer() != nullptr;
    }));
    if (!has_key) co_return Result<>{};
    CO_TRY(const AuditVerdict verdict, co_await verify_audit(database_, {}));
    report_.audit_entries = verdict.end.seq;
    if (verdict.problem) report("broken_audit", "audit", *verdict.problem, false);
    co_return Result<>{};
}

}  // namespace

Async<FsckReport> fsck(meta::Database& database,
                       blob::Store& blobs,
                       const crypto::KeyRing& keys,
                       Repair repair,
                       Structures structures) {
    Checker checker(database, blobs, keys);
    const auto checked = co_await checker.check_all(repair, structures);
    if (!checked && checked.error().code != Errc::corrupt) {
        co_return std::unexpected(checked.error());
    }
    if (!checked) checker.report_unreadable(checked.error().detail);
    co_return checker.take_report();
}

}  // namespace satchel
