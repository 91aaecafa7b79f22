// The operator's right to erasure: everything of a partner, or of one person a partner wrote with.
// What goes and what stays: docs/operations/erasure.md.
//
// In small steps, each a transaction of its own, each of which leaves a whole: whoever was
// interrupted asks again. Usable from every loop.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "meta/chats.hpp"
#include "meta/messages.hpp"
#include "service/deletion_service.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace satchel {

enum class DryRun : bool { no, yes };

struct ErasureRequest {
    PartnerId partner;
    std::string handle;          // Empty: of everybody.
    std::optional<Time> before;  // Only what was made before; absent: all.
    DryRun dry_run = DryRun::no;
};

// What went, or would go.
struct ErasureCounts {
    std::uint64_t attachments = 0;
    std::uint64_t messages = 0;
    std::uint64_t reactions = 0;  // Of a handle, to messages that stay.
    std::uint64_t chats = 0;
    std::uint64_t participants = 0;      // Made nameless, in groups that stay.
    std::uint64_t events = 0;            // Webhook events that were not about a message above.
    std::uint64_t waiting_messages = 0;  // Came in, not stored yet.
    std::uint64_t contact_cards = 0;
    std::uint64_t blocked_handles = 0;
    std::uint64_t idempotency_keys = 0;
};

// How far an erasure has come, as text for whoever goes on with it.
struct ErasurePosition {
    enum class Phase : std::uint8_t { chats, attachments, events, rest, traces, done };
    Phase phase = Phase::chats;
    std::int64_t at = 0;       // The chat, attachment or event that was reached.
    std::int64_t ordinal = 0;  // Messages of that chat from here on are done; 0: the chat is.

    std::string str() const;
    static std::optional<ErasurePosition> parse(std::string_view text);
};

class ErasureService {
public:
    struct Parts {
        meta::Database& database;
        const Clock& clock;
        DeletionService& deletions;
    };
    explicit ErasureService(Parts parts) : parts_(parts) {}

    // Goes on from `position` for about `time_max`, and adds to `counts`. Returns where it is
    // then; Phase::done: nothing is left, and no trace of it in the database's files.
    // Errc::timed_out if another process keeps those files from being cleaned: ask again.
    Async<ErasurePosition> go_on(ErasureRequest request,
                                 ErasurePosition position,
                                 std::chrono::steady_clock::duration time_max,
                                 ErasureCounts& counts);

private:
    Async<> step(const ErasureRequest& request, ErasurePosition& at, ErasureCounts& counts);
    Async<> next_chat(const ErasureRequest& request, ErasurePosition& at);
    Async<> messages_of(const ErasureRequest& request, ErasurePosition& at, ErasureCounts& counts);
    Async<> end_chat(const ErasureRequest& request,
                     const meta::ChatRow& chat,
                     ErasureCounts& counts);
    Async<> attachments(const ErasureRequest& request, ErasurePosition& at, ErasureCounts& counts);
    Async<> events(const ErasureRequest& request, ErasurePosition& at, ErasureCounts& counts);
    Async<> rest(const ErasureRequest& request, ErasurePosition& at, ErasureCounts& counts);

    Parts parts_;
};

}  // namespace satchel
