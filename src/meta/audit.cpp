#include "meta/audit.hpp"

#include "base/log.hpp"
#include "crypto/audit_chain.hpp"
#include "meta/columns.hpp"

#include <algorithm>

namespace satchel::meta {
namespace {

constexpr std::size_t begin_page_rows = 1000;

std::uint64_t number_at(const Statement& row, int column) {
    return static_cast<std::uint64_t>(row.integer(column));
}

template <std::size_t size>
Result<> bytes_into(std::array<std::byte, size>& out, const Statement& row, int column) {
    const ByteView view = row.blob(column);
    if (view.size() != size) return fail(Errc::corrupt, "a hash or signature has a wrong size");
    std::ranges::copy(view, out.begin());
    return {};
}

// All but the hash, which is column 6.
Result<AuditLink> read_unchained(const Statement& row) {
    AuditLink link;
    link.seq = number_at(row, 0);
    link.entry.at = time_at(row, 1);
    TRY(link.entry.partner, id_at<PartnerId>(row, 2));
    TRY(link.entry.attachment, id_at<AttachmentId>(row, 3));
    link.entry.cause = row.text(4);
    link.entry.actor = row.text(5);
    return link;
}

Result<AuditLink> read_link(const Statement& row) {
    TRY(AuditLink link, read_unchained(row));
    CHECK(bytes_into(link.hash, row, 6));
    return link;
}

Result<AuditChainRow> read_chain(const Statement& row) {
    AuditChainRow chain;
    chain.origin = {time_at(row, 0), number_at(row, 1)};
    chain.end.seq = number_at(row, 2);
    CHECK(bytes_into(chain.end.hash, row, 3));
    CHECK(bytes_into(chain.signature, row, 4));
    return chain;
}

Result<StatementPtr> entries_after(Session& session, std::uint64_t after, std::size_t max) {
    return session.query(
        "SELECT seq, at, partner, attachment, cause, actor, hash FROM deletion_audit "
        "WHERE seq > $1 ORDER BY seq LIMIT $2",
        after, max);
}

// Gives the entries of before the chain their hashes. Returns its end.
Result<AuditPosition> chain_entries(Session& session, AuditPosition end) {
    while (true) {
        std::vector<AuditLink> page;
        {
            TRY(auto statement, entries_after(session, end.seq, begin_page_rows));
            TRY(page, all_rows(*statement, read_unchained));
        }
        if (page.empty()) return end;
        for (const AuditLink& link : page) {
            end = {link.seq, crypto::entry_hash(end.hash, link.seq, link.entry)};
            CHECK(session.run("UPDATE deletion_audit SET hash = $2 WHERE seq = $1", link.seq,
                              end.hash));
        }
    }
}

struct Extent {
    std::uint64_t entries = 0;
    std::uint64_t chained = 0;
};

Result<Extent> extent_of(Session& session) {
    TRY(auto statement, session.query("SELECT count(*), count(CASE WHEN length(hash) > 0 THEN 1 "
                                      "END) FROM deletion_audit"));
    TRY([[maybe_unused]] const bool found, statement->step());
    return Extent{number_at(*statement, 0), number_at(*statement, 1)};
}

// The last entry. Its hash, when it has none of the right size, fits nothing.
Result<AuditPosition> last_entry(Session& session) {
    TRY(auto statement, session.query("SELECT seq, hash FROM deletion_audit "
                                      "ORDER BY seq DESC LIMIT 1"));
    TRY(const bool found, statement->step());
    AuditPosition last;
    if (!found) return last;
    last.seq = number_at(*statement, 0);
    ignore(bytes_into(last.hash, *statement, 1), "it stays zero, which is no hash");
    return last;
}

Result<AuditPosition> begin_chain(Session& session, Time now, std::uint64_t inherited) {
    const AuditOrigin origin{now, inherited};
    const crypto::AuditSigner& signer = *session.audit_signer();
    TRY(const AuditPosition end,
        chain_entries(session, {0, crypto::origin_hash(signer.key(), origin)}));
    CHECK(
        session.run("INSERT INTO audit_chain (only, begun_at, inherited, seq, hash, signature) "
                    "VALUES (1, $1, $2, $3, $4, $5)",
                    now, inherited, end.seq, end.hash, signer.sign_end(end)));
    if (inherited > 0) log::warn("audit_chain_begun", {{"entries_of_before", inherited}});
    return end;
}

}  // namespace

Result<> append_audit(Session& session, const AuditEntry& entry) {
    AuditPosition& end = session.audit_end();
    const std::uint64_t seq = end.seq + 1;
    const AuditHash hash = crypto::entry_hash(end.hash, seq, entry);
    CHECK(session.run(
        "INSERT INTO deletion_audit (seq, at, partner, attachment, cause, actor, hash) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7)",
        seq, entry.at, entry.partner, entry.attachment, entry.cause, entry.actor, hash));
    end = {seq, hash};
    return {};
}

Result<std::vector<AuditLink>> audit_after(Session& session, std::uint64_t after, std::size_t max) {
    TRY(auto statement, entries_after(session, after, max));
    return all_rows(*statement, read_link);
}

Result<std::optional<AuditChainRow>> find_audit_chain(Session& session) {
    TRY(auto statement,
        session.query("SELECT begun_at, inherited, seq, hash, signature FROM audit_chain"));
    return first_row(*statement, read_chain);
}

Result<AuditPosition> open_audit_chain(Session& session, Time now) {
    auto chain = find_audit_chain(session);
    if (!chain && chain.error().code != Errc::corrupt) {
        return std::unexpected(std::move(chain).error());
    }
    if (chain && !*chain) {
        TRY(const Extent extent, extent_of(session));
        if (extent.chained == 0) return begin_chain(session, now, extent.entries);
    }
    TRY(const AuditPosition last, last_entry(session));
    const bool is_signed =
        chain && *chain &&
        crypto::is_signed_end(session.audit_signer()->key(), (*chain)->end, (*chain)->signature);
    // Zeros are no hash of anything, so nothing that follows them fits.
    AuditPosition end{last.seq, {}};
    if (is_signed) end = {std::max(last.seq, (*chain)->end.seq), (*chain)->end.hash};
    if (!is_signed || last.seq != end.seq || (end.seq > 0 && last.hash != end.hash)) {
        log::error("audit_chain_broken", {{"detail", "satchel audit verify says where"}});
    }
    return end;
}

Result<> store_audit_end(Session& session, const AuditPosition& end) {
    return session.run("UPDATE audit_chain SET seq = $1, hash = $2, signature = $3", end.seq,
                       end.hash, session.audit_signer()->sign_end(end));
}

}  // namespace satchel::meta
