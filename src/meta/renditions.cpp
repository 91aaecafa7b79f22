#include "meta/renditions.hpp"

#include "meta/attachments.hpp"
#include "meta/columns.hpp"

namespace satchel::meta {
namespace {

#define SATCHEL_RENDITION_COLUMNS \
    "r.form, r.width, r.blob, r.content_type, r.size_bytes, r.duration_ms, r.created_at"

Result<RenditionRow> read_rendition(const Statement& row) {
    RenditionRow out;
    out.form = row.text(0);
    out.width = static_cast<std::uint32_t>(row.integer(1));
    TRY(out.blob, id_at<BlobId>(row, 2));
    out.content_type = row.text(3);
    out.size_bytes = static_cast<std::uint64_t>(row.integer(4));
    if (!row.is_null(5)) out.duration_ms = row.integer(5);
    out.created_at = time_at(row, 6);
    return out;
}

}  // namespace

Result<bool> insert_rendition(Session& session,
                              AttachmentId attachment,
                              BlobId source,
                              const RenditionRow& row) {
    TRY(auto statement,
        session.query("INSERT INTO renditions (attachment, form, width, blob, content_type, "
                      "size_bytes, duration_ms, created_at) "
                      "SELECT seq, $1, $2, $3, $4, $5, $6, $7 FROM attachments "
                      "WHERE id = $8 AND blob = $9 ON CONFLICT DO NOTHING RETURNING 1",
                      row.form, row.width, row.blob, row.content_type, row.size_bytes,
                      row.duration_ms, row.created_at, attachment, source));
    return changed(*statement);
}

Result<std::optional<RenditionRow>> find_rendition(Session& session,
                                                   AttachmentId attachment,
                                                   std::string_view form,
                                                   std::uint32_t width) {
    TRY(auto statement,
        session.query("SELECT " SATCHEL_RENDITION_COLUMNS " FROM attachments a JOIN renditions r "
                      "ON r.attachment = a.seq WHERE a.id = $1 AND r.form = $2 AND r.width = $3",
                      attachment, form, width));
    return first_row(*statement, read_rendition);
}

Result<std::vector<RenditionRow>> renditions_of(Session& session, AttachmentId attachment) {
    TRY(auto statement,
        session.query("SELECT " SATCHEL_RENDITION_COLUMNS " FROM attachments a JOIN renditions r "
                      "ON r.attachment = a.seq WHERE a.id = $1 ORDER BY r.form, r.width",
                      attachment));
    return all_rows(*statement, read_rendition);
}

Result<std::vector<BlobId>> remove_renditions(Session& session, std::int64_t seq) {
    std::vector<BlobId> blobs;
    {
        TRY(auto statement,
            session.query("DELETE FROM renditions WHERE attachment = $1 RETURNING blob", seq));
        TRY(blobs,
            all_rows(*statement, [](const Statement& row) { return id_at<BlobId>(row, 0); }));
    }
    for (const BlobId blob : blobs) CHECK(queue_blob_removal(session, blob));
    return blobs;
}

}  // namespace satchel::meta
