// Tables master_keys and key_rewrap: the versions of the master key that this database was
// written under, and how far its attachments have been wrapped again under the newest.
// docs/formats/metadata.md.
#pragma once

#include "crypto/key_ring.hpp"
#include "meta/database.hpp"
#include "meta/key_slot.hpp"
#include "model/ids.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace satchel::meta {

struct MasterKeyRow {
    std::uint32_t version = 0;
    crypto::KeyCheck check{};
    Time in_use_since{};
    // Since when nothing is wrapped under it; absent for the newest, and while re-wrapping goes on.
    std::optional<Time> emptied_at;
    std::optional<Time> retired_at;
};
// Ascending.
Result<std::vector<MasterKeyRow>> master_keys(Session& session);

// Whether `keys` can read what this database holds. Writes nothing, and works with schemas of
// before. Errc::corrupt, with a line for the operator in `message`, if a version is missing or is
// another key than the one it was written under.
Result<> check_master_keys(Session& session, const crypto::KeyRing& keys);

// Takes the newest version of `keys` into use, if it is not: the text key is wrapped under it, and
// every attachment is to follow. `keys` passed check_master_keys(). Errc::conflict if the version
// was in use and is retired.
Result<> adopt_master_key(Session& session, const crypto::KeyRing& keys, Time now);

// How far re-wrapping has come. Attachments with a seq up to `after_seq` are under the newest
// version. Nullopt if all are, or the database never was opened with keys.
struct Rewrap {
    std::int64_t after_seq = 0;
    std::int64_t last_seq = 0;  // Of all attachments.
};
Result<std::optional<Rewrap>> find_rewrap(Session& session);

struct SlotToRewrap {
    std::int64_t seq = 0;
    AttachmentId attachment;
    std::int64_t number = 0;
    std::uint32_t version_of_row = 0;
    std::optional<KeySlot> slot;  // Absent: it is missing, or of another size.
};
// seq > after_seq, ascending; whatever version they are under.
Result<std::vector<SlotToRewrap>> slots_after(Session& session,
                                              std::int64_t after_seq,
                                              std::size_t max);

// Overwritten in place, unless it changed since it was read: then its attachment is gone, and the
// slot may be another's.
struct NewSlot {
    std::int64_t number = 0;
    KeySlot before{};
    KeySlot after{};
};
// `from` and `to`: where the batch began, and the seq it reached. A late attachment that came in
// between is not jumped over, nor is the whole batch if `version`, which wrapped it, is not the
// newest any more.
Result<> store_rewrapped(Session& session,
                         const std::vector<NewSlot>& slots,
                         std::uint32_t version,
                         std::int64_t from,
                         std::int64_t to);
Result<> rewrap_again_after(Session& session, std::int64_t after_seq);
// Marks the older versions as emptied. False, and nothing is changed, if there are attachments
// behind the place that was reached.
Result<bool> finish_rewrap(Session& session, Time now);

// Attachments by version; seq > after_seq, up to `max` of them.
struct VersionCounts {
    std::int64_t last_seq = 0;  // 0: there was none.
    std::vector<std::pair<std::uint32_t, std::uint64_t>> counts;
};
Result<VersionCounts> count_versions(Session& session, std::int64_t after_seq, std::size_t max);

enum class Retirement : std::uint8_t { done, unknown, newest, still_used };
// From here on nothing can be stored under the version. Also `done` if it was retired before.
Result<Retirement> retire_master_key(Session& session, std::uint32_t version, Time now);

}  // namespace satchel::meta
