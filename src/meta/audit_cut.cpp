#include "meta/audit_cut.hpp"

#include "crypto/audit_cut.hpp"
#include "meta/columns.hpp"

#include <algorithm>

namespace satchel::meta {
namespace {

template <std::size_t size>
Result<> bytes_into(std::array<std::byte, size>& out, const Statement& row, int column) {
    const ByteView view = row.blob(column);
    if (view.size() != size) return fail(Errc::corrupt, "the cut of the audit is damaged");
    std::ranges::copy(view, out.begin());
    return {};
}

Result<AuditCut> read_cut(const Statement& row) {
    AuditCut cut;
    cut.position.seq = static_cast<std::uint64_t>(row.integer(0));
    CHECK(bytes_into(cut.position.hash, row, 1));
    cut.cut_at = time_at(row, 2);
    CHECK(bytes_into(cut.signature, row, 3));
    return cut;
}

}  // namespace

Result<std::optional<AuditCut>> find_audit_cut(Session& session) {
    TRY(auto statement, session.query("SELECT seq, hash, cut_at, signature FROM audit_cut"));
    return first_row(*statement, read_cut);
}

Result<> cut_audit(Session& session, const AuditPosition& position, Time now) {
    const crypto::AuditSigner* const signer = session.audit_signer();
    if (signer == nullptr) return fail(Errc::internal, "the audit is cut without its key");
    CHECK(session.run(
        "INSERT INTO audit_cut (only, seq, hash, cut_at, signature) VALUES (1, $1, $2, $3, $4) "
        "ON CONFLICT (only) DO UPDATE SET seq = $1, hash = $2, cut_at = $3, signature = $4",
        position.seq, position.hash, now, crypto::sign_cut(*signer, position, now)));
    return session.run("DELETE FROM deletion_audit WHERE seq <= $1", position.seq);
}

Result<std::optional<Time>> oldest_audit_entry(Session& session) {
    TRY(auto statement, session.query("SELECT at FROM deletion_audit ORDER BY seq LIMIT 1"));
    return first_row(*statement,
                     [](const Statement& row) { return Result<Time>(time_at(row, 0)); });
}

}  // namespace satchel::meta
