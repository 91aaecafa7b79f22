#include "service/quota.hpp"

#include "meta/attachments.hpp"
#include "meta/usage.hpp"
#include "model/api_errors.hpp"

#include <chrono>
#include <string>

namespace satchel {
namespace {

// Places become free as uploads end, which is seldom long.
constexpr std::uint32_t pending_retry_seconds = 5;

std::unexpected<Error> full(std::string what) {
    return fail(reasons::quota_exceeded,
                "The account may store at most " + std::move(what) +
                    ". Delete attachments, or ask whoever runs the service for more");
}

std::unexpected<Error> too_many_pending(std::uint64_t max) {
    auto refusal = fail(reasons::rate_limited,
                        "The account may have at most " + std::to_string(max) +
                            " uploads that wait for their bytes. Upload or delete some; each "
                            "lapses after 15 minutes");
    refusal.error().retry_after_seconds = pending_retry_seconds;
    return refusal;
}

// Overflow cannot happen: an attachment is small and usage is what the disk holds.
bool fits(std::uint64_t used, std::uint64_t more, std::uint64_t max) {
    return max == 0 || used + more <= max;
}

}  // namespace

Result<> admit(meta::Session& session,
               const Quota& quota,
               PartnerId partner,
               std::uint64_t bytes,
               AttachmentState state) {
    TRY(const auto found, meta::usage_of(session, partner));
    const Quota may = quota_of(found.own, quota);
    if (!fits(found.usage.bytes(), bytes, may.bytes)) {
        return full(std::to_string(may.bytes) + " bytes, and has " +
                    std::to_string(found.usage.bytes()));
    }
    if (!fits(found.usage.files(), 1, may.files)) {
        return full(std::to_string(may.files) + " files");
    }
    if (state == AttachmentState::pending && !fits(found.usage.pending, 1, may.pending)) {
        return too_many_pending(may.pending);
    }
    return {};
}

Result<> admit_again(meta::Session& session, const Quota& quota, AttachmentId id) {
    TRY(const auto row, meta::find_stored_attachment(session, id));
    if (!row || row->state != AttachmentState::failed) return {};
    return admit(session, quota, row->partner, row->size_bytes, AttachmentState::complete);
}

}  // namespace satchel
