// participant.*, chat.typing_indicator.* and chat.group_*_updated events: contract section 5.7.
// Both payload versions are the same.
#pragma once

#include "model/message.hpp"
#include "webhook/outbox.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace satchel::webhook {

enum class ParticipantChange : std::uint8_t { added, removed };
Event participant_changed(const Chat& chat,
                          const ChatHandle& participant,
                          ParticipantChange change,
                          Time at,
                          std::string_view trace_id);

enum class Typing : std::uint8_t { started, stopped };
Event typing_changed(const Chat& chat, Typing typing, Time at, std::string_view trace_id);

enum class GroupDetail : std::uint8_t { name, icon };
// Absent values: there was none, or it was removed. The line itself made the change.
struct GroupUpdate {
    GroupDetail detail = GroupDetail::name;
    std::optional<std::string> old_value;
    std::optional<std::string> new_value;
};
Event group_updated(const Chat& chat,
                    const GroupUpdate& update,
                    Time at,
                    std::string_view trace_id);

}  // namespace satchel::webhook
