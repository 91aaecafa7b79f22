// Table blob_removals.
#include "meta/attachments.hpp"
#include "meta/columns.hpp"

namespace satchel::meta {

Result<std::vector<BlobRemoval>> pending_blob_removals(Session& session, std::size_t max) {
    TRY(auto statement,
        session.query("SELECT seq, blob FROM blob_removals ORDER BY seq LIMIT $1", max));
    return all_rows(*statement, [](const Statement& row) -> Result<BlobRemoval> {
        TRY(const BlobId blob, id_at<BlobId>(row, 1));
        return BlobRemoval{row.integer(0), blob};
    });
}

// A number may be used again: the blob says whether it is still the same.
Result<> forget_blob_removals(Session& session, std::span<const BlobRemoval> removals) {
    for (const BlobRemoval& removal : removals) {
        CHECK(session.run("DELETE FROM blob_removals WHERE seq = $1 AND blob = $2", removal.seq,
                          removal.blob));
    }
    return {};
}

Result<> queue_blob_removal(Session& session, BlobId blob) {
    return session.run("INSERT INTO blob_removals (blob) VALUES ($1)", blob);
}

}  // namespace satchel::meta
