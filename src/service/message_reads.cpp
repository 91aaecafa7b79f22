// Reading and deleting messages and chats.
#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "meta/ownership.hpp"
#include "model/api_errors.hpp"
#include "service/message_rows.hpp"
#include "service/message_service.hpp"

#include <algorithm>

namespace satchel {
namespace {

// A cursor is opaque to clients; it names a place in a list that rows may leave meanwhile.
std::string encode_ordinal(std::int64_t ordinal) {
    std::string bytes;
    append_u64(bytes, static_cast<std::uint64_t>(ordinal));
    return to_hex(as_bytes(bytes));
}

std::unexpected<Error> bad_cursor() {
    return fail(reasons::invalid_parameter, "cursor must be a next_cursor of this list");
}

Result<std::int64_t> decode_ordinal(std::string_view cursor) {
    const auto bytes = from_hex(cursor);
    if (!bytes || bytes->size() != 8) return bad_cursor();
    const std::uint64_t ordinal = read_u64(bytes->data());
    if (ordinal > INT64_MAX) return bad_cursor();
    return static_cast<std::int64_t>(ordinal);
}

// The time the chat had when it was listed, and its id.
std::string encode_chat_place(const Chat& chat) {
    return encode_ordinal(to_micros(chat.updated_at)) + to_hex(chat.id.bytes());
}

struct ChatPlace {
    Time updated_at{};
    ChatId id;
};
Result<ChatPlace> decode_chat_place(std::string_view cursor) {
    if (cursor.size() != 48) return bad_cursor();
    TRY(const std::int64_t micros, decode_ordinal(cursor.substr(0, 16)));
    const auto id = from_hex(cursor.substr(16));
    if (!id) return bad_cursor();
    return ChatPlace{from_micros(micros),
                     ChatId{Uuid::from_bytes(std::span<const std::byte, 16>(*id))}};
}

// One row more than the page was asked for, so that its last page is known as such.
template <class Row>
bool cut_to(std::vector<Row>& rows, std::size_t limit) {
    if (rows.size() <= limit) return false;
    rows.resize(limit);
    return true;
}

// The chat as it is shown: with its icon, unless that attachment was deleted.
Result<Chat> shown_chat(meta::Session& session, meta::ChatRow row, const MediaService& media) {
    if (row.icon) {
        TRY(const auto icon, media.find(session, {*row.icon, {}}));
        if (icon) row.chat.icon_url = icon->url;
    }
    return std::move(row.chat);
}

}  // namespace

Result<Message> MessageService::to_message(meta::Session& session,
                                           const meta::MessageRow& row,
                                           const Chat& chat) const {
    return message_of(session, row, chat, parts_.media);
}

Result<Message> message_of(meta::Session& session,
                           const meta::MessageRow& row,
                           const Chat& chat,
                           const MediaService& media) {
    Message message = bare_message(row, chat);
    TRY(message.parts, media.resolve(session, row.parts));
    TRY(const auto reactions, meta::reactions_of(session, row));
    for (const meta::ReactionRow& each : reactions) {
        TRY(message.reactions.emplace_back(), reaction_of(each, chat));
    }
    return message;
}

Async<Chat> MessageService::chat(PartnerId partner, ChatId id) {
    auto find = [this, partner, id](meta::Session& session) -> Result<Chat> {
        TRY(auto row, require_chat(session, partner, id));
        return shown_chat(session, std::move(row), parts_.media);
    };
    co_return co_await parts_.database.read(std::move(find));
}

Async<ChatPage> MessageService::chats(meta::ChatFilter filter, PageRequest page) {
    auto list = [this, filter, page](meta::Session& session) -> Result<ChatPage> {
        std::optional<meta::ChatPosition> after;
        if (page.cursor) {
            TRY(const ChatPlace place, decode_chat_place(*page.cursor));
            TRY(const auto row, meta::find_chat(session, place.id));
            if (!row || row->chat.partner != filter.partner) return bad_cursor();
            after = meta::ChatPosition{place.updated_at, row->seq};
        }
        TRY(auto rows, meta::list_chats(session, filter, after, page.limit + 1));
        const bool has_more = cut_to(rows, page.limit);
        ChatPage out;
        for (meta::ChatRow& row : rows) {
            TRY(out.chats.emplace_back(), shown_chat(session, std::move(row), parts_.media));
        }
        if (has_more) out.next_cursor = encode_chat_place(out.chats.back());
        return out;
    };
    co_return co_await parts_.database.read(std::move(list));
}

Async<Message> MessageService::message(PartnerId partner, MessageId id) {
    auto find = [this, partner, id](meta::Session& session) -> Result<Message> {
        TRY(const auto row, meta::find_own_message(session, id, partner, parts_.clock.now()));
        if (!row) return fail(reasons::message_not_found);
        TRY(const auto chat, meta::find_chat_by_seq(session, row->chat));
        if (!chat) return fail(Errc::corrupt, "a message's chat is missing");
        return to_message(session, *row, chat->chat);
    };
    co_return co_await parts_.database.read(std::move(find));
}

Async<MessagePage> MessageService::messages(PartnerId partner, ChatId chat, PageRequest page) {
    auto list = [this, partner, chat, page](meta::Session& session) -> Result<MessagePage> {
        TRY(const auto chat_row, require_chat(session, partner, chat));
        std::int64_t before = INT64_MAX;
        if (page.cursor) {
            TRY(before, decode_ordinal(*page.cursor));
        }
        TRY(auto rows, meta::messages_of_chat(session, chat_row.seq, before, parts_.clock.now(),
                                              page.limit + 1));
        const bool has_more = cut_to(rows, page.limit);
        MessagePage out;
        for (const meta::MessageRow& row : rows) {
            TRY(out.messages.emplace_back(), to_message(session, row, chat_row.chat));
        }
        if (has_more) out.next_cursor = encode_ordinal(rows.back().ordinal);
        return out;
    };
    co_return co_await parts_.database.read(std::move(list));
}

Async<MessagePage> MessageService::thread(PartnerId partner,
                                          MessageId id,
                                          meta::Order order,
                                          PageRequest page) {
    auto list = [this, partner, id, order, page](meta::Session& session) -> Result<MessagePage> {
        const Time now = parts_.clock.now();
        TRY(const auto found, meta::find_own_message(session, id, partner, now));
        if (!found) return fail(reasons::message_not_found);
        TRY(const auto chat, meta::find_chat_by_seq(session, found->chat));
        if (!chat) return fail(Errc::corrupt, "a message's chat is missing");
        std::int64_t beyond = order == meta::Order::ascending ? 0 : INT64_MAX;
        if (page.cursor) {
            TRY(beyond, decode_ordinal(*page.cursor));
        }
        TRY(auto rows, meta::messages_of_thread(session, found->thread.value_or(found->seq), beyond,
                                                order, now, page.limit + 1));
        const bool has_more = cut_to(rows, page.limit);
        MessagePage out;
        for (const meta::MessageRow& row : rows) {
            TRY(out.messages.emplace_back(), to_message(session, row, chat->chat));
        }
        if (has_more) out.next_cursor = encode_ordinal(rows.back().ordinal);
        return out;
    };
    co_return co_await parts_.database.read(std::move(list));
}

Async<> MessageService::remove(PartnerId partner, MessageId id) {
    auto remove = [partner, id, now = parts_.clock.now()](meta::Session& session) -> Result<> {
        TRY(const bool was_there, meta::remove_message(session, id, partner, now));
        if (!was_there) return fail(reasons::message_not_found);
        return {};
    };
    co_return co_await parts_.database.write(std::move(remove));
}

}  // namespace satchel
