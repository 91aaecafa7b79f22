// Messages that come in: from the operator, or from another line of this server.
//
// Order of writes: media durable in the store under the partner of the receiving line ->
// one transaction: attachment rows, chat, message, events. Nothing is announced before that.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "meta/database.hpp"
#include "model/message.hpp"
#include "service/media_service.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace satchel {

// A card comes without its image.
using InboundPart = std::variant<TextPart, StagedMedia, AppCard>;

struct InboundMessage {
    std::string line;
    std::string from;
    std::vector<std::string> others;  // Further participants: then it is a group.
    std::vector<InboundPart> parts;
    Service service = Service::imessage;
    std::optional<MessageId> id;       // Given when the same message may come in twice.
    std::optional<MessageId> copy_of;  // What another line of this server sent.
};

class InboundService {
public:
    struct Parts {
        meta::Database& database;
        MediaService& media;
        const Clock& clock;
    };
    explicit InboundService(Parts parts) : parts_(std::move(parts)) {}

    // Who gets what comes in on `line`. reasons::phone_number_not_found.
    Async<PartnerId> partner_of(std::string line);

    // Takes over the staged media, whatever becomes of the message. A second time with the same
    // id changes nothing and gives the first. reasons::phone_number_not_found,
    // reasons::invalid_phone_number.
    Async<Message> receive(InboundMessage inbound);

    // Drops what was staged for a message that will not come.
    Task<> discard(const InboundMessage& inbound);

    // Copies `message` to `line` of this server, once.
    Async<> receive_between_lines(const Chat& chat, const Message& message, std::string line);

private:
    Result<Message> write(meta::Session& session, const InboundMessage& inbound) const;
    Parts parts_;
};

}  // namespace satchel
