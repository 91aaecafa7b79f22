// Tables attachments and renditions, seen as owners of blobs.
#include "meta/stored_blobs.hpp"

#include "meta/columns.hpp"

namespace satchel::meta {

Result<std::vector<StoredBlob>> stored_blobs_after(Session& session,
                                                   BlobId after,
                                                   std::size_t max) {
    TRY(auto statement,
        session.query("SELECT blob, size_bytes, 0 FROM attachments WHERE blob > $1 UNION ALL "
                      "SELECT blob, size_bytes, 1 FROM renditions WHERE blob > $1 "
                      "ORDER BY 1 LIMIT $2",
                      after, max));
    return all_rows(*statement, [](const Statement& row) -> Result<StoredBlob> {
        StoredBlob stored;
        TRY(stored.blob, id_at<BlobId>(row, 0));
        stored.size_bytes = static_cast<std::uint64_t>(row.integer(1));
        stored.is_rendition = row.integer(2) != 0;
        return stored;
    });
}

Result<> forget_rendition(Session& session, BlobId blob) {
    return session.run("DELETE FROM renditions WHERE blob = $1", blob);
}

Result<std::vector<std::string>> structure_problems(Session& session) {
    TRY(auto statement, session.query("PRAGMA integrity_check(20)"));
    TRY(auto lines, all_rows(*statement, [](const Statement& row) -> Result<std::string> {
            return std::string(row.text(0));
        }));
    std::erase(lines, "ok");
    return lines;
}

}  // namespace satchel::meta
