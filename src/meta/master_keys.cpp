#include "meta/master_keys.hpp"

#include "meta/columns.hpp"
#include "meta/text_key.hpp"

#include <algorithm>
#include <string>

namespace satchel::meta {
namespace {

Result<MasterKeyRow> read_row(const Statement& row) {
    MasterKeyRow out;
    out.version = static_cast<std::uint32_t>(row.integer(0));
    const ByteView check = row.blob(1);
    if (check.size() != out.check.size()) {
        return fail(Errc::corrupt, "a master key's check has the wrong size");
    }
    std::ranges::copy(check, out.check.begin());
    out.in_use_since = time_at(row, 2);
    out.emptied_at = optional_time_at(row, 3);
    out.retired_at = optional_time_at(row, 4);
    return out;
}

std::unexpected<Error> refuse(std::string message) {
    return std::unexpected(Error{Errc::corrupt, nullptr, message, message});
}

std::unexpected<Error> missing(const crypto::KeyRing& keys, std::uint32_t version) {
    return refuse("it needs version " + std::to_string(version) + " of the master key, which " +
                  keys.origin() +
                  " does not have: put the line of that version back from your "
                  "copy, nothing can be read without it");
}

std::unexpected<Error> another(const crypto::KeyRing& keys, std::uint32_t version) {
    return refuse("it was written under another master key than version " +
                  std::to_string(version) + " of " + keys.origin() +
                  ": restore the key that belongs to this database");
}

Result<bool> has_table(Session& session, std::string_view name) {
    TRY(auto statement,
        session.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $1", name));
    return statement->step();
}

// Of a database that no version of this table has described yet.
Result<> check_text_key(Session& session, const crypto::KeyRing& keys) {
    std::uint32_t version = 0;
    Bytes wrapped;
    {
        TRY(auto statement, session.query("SELECT key_version, wrapped FROM text_key"));
        TRY(const bool found, statement->step());
        if (!found) return {};
        version = static_cast<std::uint32_t>(statement->integer(0));
        wrapped = bytes_at(*statement, 1);
    }
    if (!keys.check(version)) return missing(keys, version);
    if (!keys.unwrap_text_key(version, wrapped)) return another(keys, version);
    return {};
}

Result<> insert_row(Session& session,
                    const crypto::KeyRing& keys,
                    std::uint32_t version,
                    Time now) {
    const auto check = keys.check(version);
    if (!check) return {};
    return session.run(
        "INSERT INTO master_keys (version, key_check, in_use_since) "
        "VALUES ($1, $2, $3)",
        version, ByteView(*check), now);
}

}  // namespace

Result<std::vector<MasterKeyRow>> master_keys(Session& session) {
    TRY(auto statement, session.prepare("SELECT version, key_check, in_use_since, emptied_at, "
                                        "retired_at FROM master_keys ORDER BY version"));
    return all_rows(*statement, read_row);
}

Result<> check_master_keys(Session& session, const crypto::KeyRing& keys) {
    TRY(const bool has_versions, has_table(session, "master_keys"));
    if (has_versions) {
        TRY(const auto rows, master_keys(session));
        for (const MasterKeyRow& row : rows) {
            if (row.emptied_at || row.retired_at) continue;
            const auto check = keys.check(row.version);
            if (!check) return missing(keys, row.version);
            if (*check != row.check) return another(keys, row.version);
        }
    }
    TRY(const bool has_text_key, has_table(session, "text_key"));
    if (!has_text_key) return {};
    return check_text_key(session, keys);
}

Result<> adopt_master_key(Session& session, const crypto::KeyRing& keys, Time now) {
    const std::uint32_t newest = keys.version();
    TRY(const auto known, master_keys(session));
    if (std::ranges::any_of(known, [newest](const MasterKeyRow& row) {
            return row.version == newest && row.retired_at.has_value();
        })) {
        return fail(Errc::conflict, "the newest version of the master key is a retired one");
    }
    if (!known.empty() && known.back().version >= newest) return {};
    if (known.empty()) {
        // Of a database of before: what it was written under until now.
        TRY(auto statement, session.prepare("SELECT key_version FROM text_key"));
        TRY(const bool found, statement->step());
        const auto version = found ? static_cast<std::uint32_t>(statement->integer(0)) : newest;
        statement.reset();
        if (version != newest) CHECK(insert_row(session, keys, version, now));
    }
    CHECK(insert_row(session, keys, newest, now));
    CHECK(
        session.run("INSERT INTO key_rewrap (only, after_seq) VALUES (1, 0) "
                    "ON CONFLICT (only) DO UPDATE SET after_seq = 0"));
    return rewrap_text_key(session, keys);
}

Result<std::optional<Rewrap>> find_rewrap(Session& session) {
    TRY(auto statement,
        session.prepare("SELECT after_seq, (SELECT coalesce(max(seq), 0) FROM attachments) "
                        "FROM key_rewrap WHERE EXISTS (SELECT 1 FROM master_keys "
                        "WHERE emptied_at IS NULL AND retired_at IS NULL "
                        "AND version < (SELECT max(version) FROM master_keys))"));
    return first_row(*statement, [](const Statement& row) -> Result<Rewrap> {
        return Rewrap{row.integer(0), row.integer(1)};
    });
}

Result<std::vector<SlotToRewrap>> slots_after(Session& session,
                                              std::int64_t after_seq,
                                              std::size_t max) {
    TRY(auto statement,
        session.query("SELECT a.seq, a.id, a.key_slot, a.key_version, k.sealed "
                      "FROM attachments a LEFT JOIN attachment_keys k ON k.slot = a.key_slot "
                      "WHERE a.seq > $1 ORDER BY a.seq LIMIT $2",
                      after_seq, max));
    return all_rows(*statement, [](const Statement& row) -> Result<SlotToRewrap> {
        SlotToRewrap out;
        out.seq = row.integer(0);
        TRY(out.attachment, id_at<AttachmentId>(row, 1));
        out.number = row.integer(2);
        out.version_of_row = static_cast<std::uint32_t>(row.integer(3));
        const ByteView slot = row.blob(4);
        if (slot.size() != KeySlot{}.size()) return out;
        std::ranges::copy(slot, out.slot.emplace().begin());
        return out;
    });
}

Result<> store_rewrapped(Session& session,
                         const std::vector<NewSlot>& slots,
                         std::uint32_t version,
                         std::int64_t from,
                         std::int64_t to) {
    for (const NewSlot& slot : slots) {
        CHECK(session.run("UPDATE attachment_keys SET sealed = $3 WHERE slot = $1 AND sealed = $2",
                          slot.number, ByteView(slot.before), ByteView(slot.after)));
    }
    return session.run(
        "UPDATE key_rewrap SET after_seq = $2 WHERE after_seq = $1 "
        "AND $3 = (SELECT max(version) FROM master_keys)",
        from, to, version);
}

Result<> rewrap_again_after(Session& session, std::int64_t after_seq) {
    return session.run("UPDATE key_rewrap SET after_seq = min(after_seq, $1)", after_seq);
}

Result<bool> finish_rewrap(Session& session, Time now) {
    TRY(auto statement,
        session.query("UPDATE master_keys SET emptied_at = $1 WHERE emptied_at IS NULL "
                      "AND version < (SELECT max(version) FROM master_keys) "
                      "AND NOT EXISTS (SELECT 1 FROM attachments "
                      "WHERE seq > (SELECT after_seq FROM key_rewrap)) RETURNING 1",
                      now));
    bool changed_any = false;
    while (true) {
        TRY(const bool found, statement->step());
        if (!found) return changed_any;
        changed_any = true;
    }
}

Result<VersionCounts> count_versions(Session& session, std::int64_t after_seq, std::size_t max) {
    TRY(const auto page, slots_after(session, after_seq, max));
    VersionCounts out;
    for (const SlotToRewrap& each : page) {
        out.last_seq = each.seq;
        if (!each.slot) continue;
        const auto slotted = from_slot(*each.slot, each.version_of_row);
        if (!slotted) continue;
        const auto found =
            std::ranges::find(out.counts, slotted->version, [](const auto& c) { return c.first; });
        if (found == out.counts.end()) {
            out.counts.emplace_back(slotted->version, 1);
        } else {
            ++found->second;
        }
    }
    return out;
}

Result<Retirement> retire_master_key(Session& session, std::uint32_t version, Time now) {
    TRY(const auto rows, master_keys(session));
    const auto row = std::ranges::find(rows, version, &MasterKeyRow::version);
    if (row == rows.end()) return Retirement::unknown;
    if (row->retired_at) return Retirement::done;
    if (row->version == rows.back().version) return Retirement::newest;
    if (!row->emptied_at) return Retirement::still_used;
    CHECK(session.run("UPDATE master_keys SET retired_at = $2 WHERE version = $1", version, now));
    return Retirement::done;
}

}  // namespace satchel::meta
