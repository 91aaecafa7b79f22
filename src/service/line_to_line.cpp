#include "service/line_to_line.hpp"

#include "crypto/digest.hpp"

#include <algorithm>

namespace satchel {

MessageId copied_id(MessageId message, std::string_view line) {
    std::string text(as_text(message.bytes()));
    text += line;
    const auto digest = crypto::sha256(as_bytes(text));
    MessageId id = message;
    std::copy_n(digest.begin(), 9, id.value.bytes.begin() + 7);
    id.value.bytes[8] = (id.value.bytes[8] & std::byte{0x3f}) | std::byte{0x80};
    return id;
}

Result<std::vector<meta::ChatRow>> other_views(meta::Session& session, const Chat& chat) {
    std::vector<meta::ChatRow> out;
    const std::vector<std::string> recipients = chat.recipients();
    for (const std::string& line : recipients) {
        TRY(const auto owner, meta::owner_of_line(session, line));
        if (!owner) continue;
        std::vector<std::string> members = recipients;
        std::ranges::replace(members, line, chat.line);
        TRY(auto view, meta::find_joined_chat_with(session, *owner, line,
                                                   meta::members_of(std::move(members))));
        if (view) out.push_back(std::move(*view));
    }
    return out;
}

Result<std::vector<MessageView>> other_views(meta::Session& session,
                                             const meta::MessageRow& message,
                                             const Chat& chat,
                                             Time now) {
    const MessageId original = message.copy_of.value_or(message.id);
    std::vector<MessageId> candidates{original};
    for (const ChatHandle& handle : chat.handles) {
        candidates.push_back(copied_id(original, handle.handle));
    }
    std::vector<MessageView> out;
    for (const MessageId id : candidates) {
        if (id == message.id) continue;
        TRY(auto found, meta::find_message(session, id, now));
        if (!found) continue;
        TRY(auto view, meta::find_chat_by_seq(session, found->chat));
        if (view && !view->left_at) out.push_back({std::move(*found), std::move(*view)});
    }
    return out;
}

}  // namespace satchel
