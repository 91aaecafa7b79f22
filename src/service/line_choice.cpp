#include "service/line_choice.hpp"

#include "model/api_errors.hpp"

#include <algorithm>

namespace satchel {

Result<LineChoice> choose_line(meta::Session& session,
                               PartnerId partner,
                               const std::vector<std::string>& to,
                               const std::vector<std::string>& excluded) {
    TRY(const auto lines, meta::lines_of(session, partner));
    const auto eligible = std::ranges::find_if(lines, [&](const std::string& each) {
        return std::ranges::find(excluded, each) == excluded.end() &&
               std::ranges::find(to, each) == to.end();
    });
    if (eligible == lines.end()) return fail(reasons::no_eligible_line);
    LineChoice choice{*eligible, {}};
    if (to.empty()) return choice;
    TRY(choice.chat, meta::find_latest_chat_with(session, partner, meta::members_of(to), excluded));
    if (choice.chat) choice.line = choice.chat->chat.line;
    return choice;
}

}  // namespace satchel
