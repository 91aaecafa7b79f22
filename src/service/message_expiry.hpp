// Ephemeral messages go 24 hours after their creation, and nobody hears of it. Contract
// section 7.2.
//
// From that moment on no look-up finds them (meta/messages.hpp); this is what removes them from the
// disk, with the events that describe what has expired, ephemeral attachments among it. Their own
// attachments are gone by then: service/deletion_service.hpp.
//
// Usable from every loop at once.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "meta/database.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace satchel {

class MessageExpiry {
public:
    struct Parts {
        meta::Database& database;
        const Clock& clock;
    };
    explicit MessageExpiry(Parts parts) : parts_(parts) {}

    // One pass over messages whose time is over. Returns how many it removed; call again until 0.
    Async<std::size_t> sweep_messages();
    // The same over webhook events that describe what has expired, sent or not.
    Async<std::size_t> sweep_events();

    std::uint64_t removed_messages() const { return removed_messages_; }

private:
    Parts parts_;
    std::atomic<std::uint64_t> removed_messages_{0};
};

}  // namespace satchel
