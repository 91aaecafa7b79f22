// Changes to messages that are out: edits of their text, and reactions. Contract section 3.8.
//
// A change and its events are one transaction. Another line of this server that has the message
// sees the change in its copy and hears of it.
//
// Usable from every loop at once. Everything here answers reasons::message_not_found for a message
// that is unknown or foreign, and reasons::chat_unavailable once the line has left its chat.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "meta/database.hpp"
#include "model/message.hpp"
#include "service/change.hpp"
#include "service/media_service.hpp"

#include <string>

namespace satchel {

// The text keeps check_text().
struct TextEdit {
    std::uint32_t part_index = 0;
    std::string text;
};

struct ReactionChange {
    enum class Operation : bool { add, remove };
    Operation operation = Operation::add;
    std::uint32_t part_index = 0;
    ReactionType type = ReactionType::love;
    std::string custom_emoji;
};

class MessageChanges {
public:
    struct Parts {
        meta::Database& database;
        const MediaService& media;
        const Clock& clock;
    };
    explicit MessageChanges(Parts parts) : parts_(parts) {}

    // The text's decorations and mention are gone afterwards. reasons::invalid_parameter without
    // such a part; state_conflict unless it is a text of one's own, sent less than
    // limits::message_edit_window ago, and edited less than limits::message_edits_max times.
    Async<Message> edit(Change change, MessageId id, TextEdit edit);

    // A new reaction takes the place of one's former one on that part. What is there already is
    // not added, and what is not there not removed: nothing happens then, and nobody is told.
    // reasons::invalid_parameter without such a part.
    Async<> react(Change change, MessageId id, ReactionChange reaction);

private:
    Parts parts_;
};

}  // namespace satchel
