// New versions of the master key while requests go on: docs/operations/keys.md.
//
// Order of writes:
//   rotate  the version is durable in its source -> in use in the database, the text key wrapped
//           under it -> wraps what is new -> answer
//   rewrap  attachments in order, a batch a write: the slots and how far it has come
//   retire  nothing can be stored under the version any more, durable -> gone from its source
// A start takes up what a crash left: a version that only the source has comes into use, and
// re-wrapping goes on where it was.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "crypto/key_ring.hpp"
#include "crypto/key_source.hpp"
#include "meta/database.hpp"
#include "meta/master_keys.hpp"
#include "webhook/secret_box.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

namespace satchel {

struct RewrapProgress {
    std::uint32_t version = 0;    // In use.
    bool is_running = false;      // Something is, or may be, under an older version.
    std::uint64_t remaining = 0;  // Attachments to look at, at most.
    std::uint64_t rewrapped = 0;  // Since the start, or the last rotate().
    std::uint64_t damaged = 0;    // Cannot be unwrapped: the last pass left them as they are.
};

struct MasterKeyReport {
    meta::MasterKeyRow row;
    bool is_in_use = false;  // Wraps what is new.
    std::uint64_t attachments = 0;
};

// Used on one loop, but for progress().
class KeyRotation {
public:
    struct Parts {
        Loop& loop;
        meta::Database& database;
        crypto::KeyRing& keys;
        crypto::KeySource& source;
        const webhook::SecretBox& webhook_secrets;
        BlockingPool& pool;
        const Clock& clock;
    };
    explicit KeyRotation(Parts parts);
    KeyRotation(const KeyRotation&) = delete;
    KeyRotation& operator=(const KeyRotation&) = delete;

    // Takes a newer version into use: one that the source has already, else, if it can be written
    // to, a new one. What was wrapped before follows in the background. The version's number.
    // reasons::state_conflict, with a line for the operator, if there is none, the source cannot
    // be used, or another call is at it.
    Async<std::uint32_t> rotate();

    // Every version that was ever in use, ascending. Walks over all attachments.
    Async<std::vector<MasterKeyReport>> list();

    // Removes a version that nothing is wrapped under. Whether the source was changed, too.
    // reasons::resource_not_found if it never was in use; reasons::state_conflict, with a line for
    // the operator, if it is still needed or the source cannot be written to.
    Async<bool> retire(std::uint32_t version);

    // Re-wraps what is under older versions, until stop().
    Task<> run();
    // run() returns once the batch in progress, if any, has ended.
    void stop();

    // From any thread.
    RewrapProgress progress() const;

private:
    using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                             asio::wait_traits<std::chrono::steady_clock>,
                                             Loop::executor_type>;
    Result<crypto::KeyRing> next_ring() const;
    Async<> pass();
    Async<> rewrap_batch(std::int64_t from, std::vector<meta::SlotToRewrap> page);
    Async<> end_pass();
    Async<> renew_webhook_secrets();
    void note(const std::optional<meta::Rewrap>& state);

    Parts parts_;
    Timer pause_;
    bool is_changing_ = false;  // rotate() or retire() is under way.
    bool woken_ = false;
    bool stopping_ = false;
    std::optional<std::int64_t> first_damaged_;  // seq, in this pass.
    std::uint64_t damaged_ = 0;                  // In this pass.
    mutable std::mutex mutex_;
    RewrapProgress progress_;  // Guarded by mutex_.
};

}  // namespace satchel
