// How much a partner may have stored and how often it may call. 0 is no limit everywhere.
#pragma once

#include <cstdint>
#include <optional>

namespace satchel {

inline constexpr std::uint64_t quota_max = 1'000'000'000'000'000;
inline constexpr std::uint32_t rate_max = 1'000'000;

struct Quota {
    std::uint64_t bytes = 0;    // Stored, and announced by uploads that are asked for.
    std::uint64_t files = 0;    // Attachments, those that wait for their bytes among them.
    std::uint64_t pending = 0;  // Attachments that wait for their bytes.
};

// Calls of the partner API in any minute.
struct CallRates {
    std::uint32_t requests = 0;  // All.
    std::uint32_t creates = 0;   // POST /v3/attachments.
    std::uint32_t sends = 0;     // Messages and voice memos.
};

// What the operator set for one partner; what is absent is the server's setting.
struct OwnRates {
    std::optional<std::uint32_t> requests;
    std::optional<std::uint32_t> creates;
    std::optional<std::uint32_t> sends;
    bool operator==(const OwnRates&) const = default;
};
struct OwnLimits {
    std::optional<std::uint64_t> bytes;
    std::optional<std::uint64_t> files;
    std::optional<std::uint64_t> pending;
    OwnRates rates;
    bool operator==(const OwnLimits&) const = default;
};

inline Quota quota_of(const OwnLimits& own, const Quota& otherwise) {
    return {own.bytes.value_or(otherwise.bytes), own.files.value_or(otherwise.files),
            own.pending.value_or(otherwise.pending)};
}

inline CallRates rates_of(const OwnRates& own, const CallRates& otherwise) {
    return {own.requests.value_or(otherwise.requests), own.creates.value_or(otherwise.creates),
            own.sends.value_or(otherwise.sends)};
}

}  // namespace satchel
