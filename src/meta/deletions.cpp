// Tables blob_removals and deletion_audit.
#include "meta/attachments.hpp"
#include "meta/columns.hpp"

namespace satchel::meta {
namespace {

Result<AuditRow> read_audit(const Statement& row) {
    AuditRow out;
    out.seq = row.integer(0);
    out.entry.at = time_at(row, 1);
    TRY(out.entry.partner, id_at<PartnerId>(row, 2));
    TRY(out.entry.attachment, id_at<AttachmentId>(row, 3));
    out.entry.cause = row.text(4);
    out.entry.actor = row.text(5);
    return out;
}

}  // namespace

Result<std::vector<BlobId>> pending_blob_removals(Session& session, std::size_t max) {
    TRY(auto statement,
        session.query("SELECT blob FROM blob_removals ORDER BY blob LIMIT $1", max));
    return all_rows(*statement, [](const Statement& row) { return id_at<BlobId>(row, 0); });
}

Result<> forget_blob_removals(Session& session, const std::vector<BlobId>& blobs) {
    for (const BlobId& blob : blobs) {
        CHECK(session.run("DELETE FROM blob_removals WHERE blob = $1", blob));
    }
    return {};
}

Result<> queue_blob_removal(Session& session, BlobId blob) {
    return session.run("INSERT INTO blob_removals (blob) VALUES ($1) ON CONFLICT DO NOTHING", blob);
}

Result<> append_audit(Session& session, const AuditEntry& entry) {
    return session.run(
        "INSERT INTO deletion_audit (at, partner, attachment, cause, actor) "
        "VALUES ($1, $2, $3, $4, $5)",
        entry.at, entry.partner, entry.attachment, entry.cause, entry.actor);
}

Result<std::vector<AuditRow>> audit_after(Session& session,
                                          std::int64_t after,
                                          std::optional<PartnerId> partner,
                                          std::size_t max) {
    if (partner) {
        TRY(auto statement,
            session.query("SELECT seq, at, partner, attachment, cause, actor FROM deletion_audit "
                          "WHERE partner = $1 AND seq > $2 ORDER BY seq LIMIT $3",
                          *partner, after, max));
        return all_rows(*statement, read_audit);
    }
    TRY(auto statement,
        session.query("SELECT seq, at, partner, attachment, cause, actor FROM deletion_audit "
                      "WHERE seq > $1 ORDER BY seq LIMIT $2",
                      after, max));
    return all_rows(*statement, read_audit);
}

}  // namespace satchel::meta
