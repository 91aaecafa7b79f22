// An attachment as the domain sees it.
#pragma once

#include "base/clock.hpp"
#include "base/limits.hpp"
#include "model/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace satchel {

// Also the SQL and JSON spelling ("status", contract section 2.4).
enum class AttachmentState : std::uint8_t { pending, complete, failed };

// Ephemeral attachments leave 24 hours after created_at (contract section 7.1).
enum class Tier : std::uint8_t { persistent, ephemeral };

struct Attachment {
    AttachmentId id;
    PartnerId partner;
    std::string filename;      // As the client gave it: any UTF-8, control characters included.
    std::string content_type;  // As declared, character for character.
    std::uint64_t size_bytes = 0;
    AttachmentState state = AttachmentState::pending;
    Tier tier = Tier::persistent;
    Time created_at{};
    Time upload_expires_at{};
    std::optional<BlobId> blob;  // Where the bytes are; present exactly when complete.
};

std::string_view to_string(AttachmentState state);
std::string_view to_string(Tier tier);
std::optional<Tier> parse_tier(std::string_view text);

// When what was made at `created_at` leaves; nullopt: it stays (contract 7.1 and 10.10).
inline std::optional<Time> expires_at(Tier tier, Time created_at) {
    if (tier == Tier::persistent) return std::nullopt;
    return created_at + limits::ephemeral_life;
}

// From that moment on it is answered as what never was, whether or not the sweeper was there.
inline bool is_over(const std::optional<Time>& expires_at, Time now) {
    return expires_at && *expires_at <= now;
}

// What clients are told: a pending upload whose window is over has failed, whether or not the
// sweeper has been there (contract 10.8).
inline AttachmentState state_at(const Attachment& attachment, Time now) {
    const bool lapsed =
        attachment.state == AttachmentState::pending && now >= attachment.upload_expires_at;
    return lapsed ? AttachmentState::failed : attachment.state;
}

}  // namespace satchel
