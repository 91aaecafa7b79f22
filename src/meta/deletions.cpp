// Table blob_removals.
#include "meta/attachments.hpp"
#include "meta/columns.hpp"

namespace satchel::meta {

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

}  // namespace satchel::meta
