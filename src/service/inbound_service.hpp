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

// A file that did not come: its part keeps its place (contract section 2.9).
struct MissingMedia {};
// A card comes without its image.
using InboundPart = std::variant<TextPart, StagedMedia, MissingMedia, AppCard>;

// Of a message that the carrier's bridge handed in.
struct InboxOrigin {
    std::int64_t seq = 0;  // gateway_inbox.seq
    PartnerId partner;     // Must still have the line.
    Time received_at{};
    Time sent_at{};
};

struct InboundMessage {
    std::string line;
    std::string from;
    std::vector<std::string> others;  // Further participants: then it is a group.
    std::vector<InboundPart> parts;
    Service service = Service::imessage;
    std::optional<MessageId> id;       // Given when the same message may come in twice.
    std::optional<MessageId> copy_of;  // What another line of this server sent.
    std::optional<InboxOrigin> origin;
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

    // The same inside a write, for a message without staged media. Finishes the row of
    // gateway_inbox that it came from: Errc::conflict if that is finished.
    Result<Message> store(meta::Session& session, const InboundMessage& inbound) const;

    // Drops what was staged for a message that will not come.
    Task<> discard(const InboundMessage& inbound);

    // Copies `message` to `line` of this server, once.
    Async<> receive_between_lines(const Chat& chat, const Message& message, std::string line);

private:
    Parts parts_;
};

}  // namespace satchel
