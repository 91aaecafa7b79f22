#include "meta/attachments.hpp"

#include "base/limits.hpp"
#include "meta/columns.hpp"
#include "meta/key_slot.hpp"
#include "meta/renditions.hpp"

#include <algorithm>

namespace satchel::meta {
namespace {

Result<AttachmentState> state_from(std::string_view text) {
    for (const auto state :
         {AttachmentState::pending, AttachmentState::complete, AttachmentState::failed}) {
        if (text == to_string(state)) return state;
    }
    return fail(Errc::corrupt, "an attachment has an unknown state");
}

Result<Tier> tier_from(std::string_view text) {
    if (const auto tier = parse_tier(text)) return *tier;
    return fail(Errc::corrupt, "an attachment has an unknown tier");
}

// A row of the view attachment_rows.
Result<AttachmentRow> read_row(const Statement& row) {
    AttachmentRow out;
    TRY(out.id, id_at<AttachmentId>(row, 0));
    TRY(out.partner, id_at<PartnerId>(row, 1));
    TRY(const SlottedKey slotted,
        from_slot(row.blob(2), static_cast<std::uint32_t>(row.integer(3))));
    out.wrapped_key.assign(slotted.key.begin(), slotted.key.end());
    out.key_version = slotted.version;
    out.sealed_name = bytes_at(row, 4);
    out.content_type = row.text(5);
    out.size_bytes = static_cast<std::uint64_t>(row.integer(6));
    TRY(out.state, state_from(row.text(7)));
    TRY(out.tier, tier_from(row.text(8)));
    out.created_at = time_at(row, 9);
    out.upload_expires_at = time_at(row, 10);
    TRY(out.blob, optional_id_at<BlobId>(row, 11));
    out.sweep_at = optional_time_at(row, 12);
    out.is_sent = row.integer(13) != 0;
    out.detected_type = row.text(14);
    out.contradicts_type = row.integer(15) != 0;
    out.is_unscanned = row.integer(16) != 0;
    return out;
}

Result<std::int64_t> store_key(Session& session, ByteView key, std::uint32_t version) {
    if (key.size() > wrapped_key_bytes_max) {
        return fail(Errc::invalid_argument, "a wrapped key does not fit its slot");
    }
    const KeySlot slot = to_slot(key, version);
    {
        TRY(auto reused,
            session.query("UPDATE attachment_keys SET in_use = 1, sealed = $1 WHERE slot = "
                          "(SELECT slot FROM attachment_keys WHERE in_use = 0 LIMIT 1) "
                          "RETURNING slot",
                          ByteView(slot)));
        TRY(const bool found, reused->step());
        if (found) return reused->integer(0);
    }
    TRY(auto added,
        session.query("INSERT INTO attachment_keys (in_use, sealed) VALUES (1, $1) RETURNING slot",
                      ByteView(slot)));
    TRY([[maybe_unused]] const bool found, added->step());
    return added->integer(0);
}

Result<> destroy_key(Session& session, std::int64_t slot) {
    return session.run("UPDATE attachment_keys SET in_use = 0, sealed = $2 WHERE slot = $1", slot,
                       ByteView(KeySlot{}));
}

// A refused upload leaves earlier than one that never came, which tells the two apart.
std::optional<Time> sweep_time(const StoredUpload& upload, const std::optional<Time>& expiry) {
    if (!expiry) return upload.sweep_at;
    if (upload.state == AttachmentState::complete) return expiry;
    return *expiry - limits::upload_window;
}

}  // namespace

Time end_of_lapsed(const AttachmentRow& row) {
    const Time end = row.upload_expires_at + limits::failed_row_life;
    return std::min(end, expires_at(row.tier, row.created_at).value_or(end));
}

Result<> insert_attachment(Session& session, const AttachmentRow& row) {
    TRY(const auto slot, store_key(session, row.wrapped_key, row.key_version));
    return session.run(
        "INSERT INTO attachments (id, partner, key_slot, key_version, sealed_name, content_type, "
        "size_bytes, state, tier, created_at, upload_expires_at, blob, sweep_at, is_sent, "
        "detected_type, contradicts_type, is_unscanned) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, "
        "$9, $10, $11, $12, $13, $14, $15, $16, $17)",
        row.id, row.partner, slot, row.key_version, row.sealed_name, row.content_type,
        row.size_bytes, to_string(row.state), to_string(row.tier), row.created_at,
        row.upload_expires_at, row.blob, row.sweep_at, int{row.is_sent}, row.detected_type,
        int{row.contradicts_type}, int{row.is_unscanned});
}

Result<std::optional<AttachmentRow>> find_attachment(Session& session, AttachmentId id, Time now) {
    TRY(auto row, find_stored_attachment(session, id));
    if (row && is_over(expires_at(row->tier, row->created_at), now)) row.reset();
    return row;
}

Result<std::optional<AttachmentRow>> find_stored_attachment(Session& session, AttachmentId id) {
    TRY(auto statement, session.query("SELECT * FROM attachment_rows WHERE id = $1", id));
    return first_row(*statement, read_row);
}

Result<bool> is_attachment_stored(Session& session, AttachmentId id) {
    TRY(auto statement, session.query("SELECT 1 FROM attachments WHERE id = $1", id));
    return statement->step();
}

Result<UploadStored> store_upload(Session& session,
                                  const StoredUpload& upload,
                                  std::vector<BlobId>& replaced) {
    replaced.clear();
    std::optional<BlobId> before;
    std::optional<Time> sweep_at;
    std::int64_t seq = 0;
    {
        TRY(auto found,
            session.query(
                "SELECT blob, is_sent, seq, tier, created_at FROM attachments WHERE id = $1",
                upload.id));
        TRY(const bool is_there, found->step());
        if (!is_there) return UploadStored::row_is_gone;
        if (found->integer(1) != 0) return UploadStored::already_sent;
        TRY(before, optional_id_at<BlobId>(*found, 0));
        seq = found->integer(2);
        TRY(const Tier tier, tier_from(found->text(3)));
        sweep_at = sweep_time(upload, expires_at(tier, time_at(*found, 4)));
    }
    CHECK(
        session.run("UPDATE attachments SET state = $2, blob = $3, sweep_at = $4, "
                    "detected_type = $5, contradicts_type = $6, is_unscanned = $7 WHERE id = $1",
                    upload.id, to_string(upload.state), upload.blob, sweep_at, upload.detected_type,
                    int{upload.contradicts_type}, int{upload.is_unscanned}));
    if (!before || before == upload.blob) return UploadStored::yes;
    TRY(replaced, remove_renditions(session, seq));
    CHECK(queue_blob_removal(session, *before));
    replaced.push_back(*before);
    return UploadStored::yes;
}

Result<> mark_sent(Session& session, AttachmentId id) {
    return session.run("UPDATE attachments SET is_sent = 1 WHERE id = $1 AND is_sent = 0", id);
}

Result<> release_picture(Session& session, AttachmentId id, Time now) {
    // An upload has time for its bytes; what was fetched has them from the beginning.
    return session.run(
        "UPDATE attachments SET sweep_at = $2 WHERE id = $1 AND "
        "upload_expires_at <= created_at AND sweep_at IS NULL AND "
        "NOT EXISTS (SELECT 1 FROM chats WHERE icon = $1) AND "
        "NOT EXISTS (SELECT 1 FROM contact_cards WHERE image = $1)",
        id, now);
}

Result<> make_ephemeral(Session& session, const AttachmentRow& row) {
    return session.run("UPDATE attachments SET tier = $2, sweep_at = $3 WHERE id = $1", row.id,
                       to_string(Tier::ephemeral), expires_at(Tier::ephemeral, row.created_at));
}

Result<std::optional<Removed>> remove_attachment(Session& session, const AuditEntry& entry) {
    Removed removed;
    std::optional<BlobId> blob;
    std::int64_t slot = 0;
    std::int64_t seq = 0;
    {
        TRY(auto gone, session.query("DELETE FROM attachments WHERE id = $1 AND partner = $2 "
                                     "RETURNING blob, key_slot, seq",
                                     entry.attachment, entry.partner));
        TRY(const bool found, gone->step());
        if (!found) return std::optional<Removed>{};
        TRY(blob, optional_id_at<BlobId>(*gone, 0));
        slot = gone->integer(1);
        seq = gone->integer(2);
    }
    CHECK(destroy_key(session, slot));
    if (blob) {
        TRY(removed.blobs, remove_renditions(session, seq));
        CHECK(queue_blob_removal(session, *blob));
        removed.blobs.push_back(*blob);
    }
    CHECK(append_audit(session, entry));
    return std::optional<Removed>{removed};
}

Result<std::vector<AttachmentRow>> due_attachments(Session& session, Time now, std::size_t max) {
    TRY(auto statement, session.query("SELECT * FROM attachment_rows WHERE sweep_at <= $1 "
                                      "ORDER BY sweep_at LIMIT $2",
                                      now, max));
    return all_rows(*statement, read_row);
}

Result<bool> fail_upload(Session& session, AttachmentId id, Time sweep_at) {
    TRY(auto statement, session.query("UPDATE attachments SET state = 'failed', sweep_at = $2 "
                                      "WHERE id = $1 AND state = 'pending' RETURNING 1",
                                      id, sweep_at));
    return changed(*statement);
}

Result<std::optional<AttachmentId>> owner_of_blob(Session& session, BlobId blob) {
    TRY(auto statement,
        session.query("SELECT id FROM attachments WHERE blob = $1 UNION ALL "
                      "SELECT a.id FROM renditions r JOIN attachments a ON a.seq = r.attachment "
                      "WHERE r.blob = $1",
                      blob));
    return first_row(*statement, [](const Statement& row) { return id_at<AttachmentId>(row, 0); });
}

Result<std::vector<AttachmentRow>> attachments_after(Session& session,
                                                     AttachmentId after,
                                                     std::size_t max) {
    TRY(auto statement,
        session.query("SELECT * FROM attachment_rows WHERE id > $1 ORDER BY id LIMIT $2", after,
                      max));
    return all_rows(*statement, read_row);
}

}  // namespace satchel::meta
