// Which line writes when the client leaves it open: POST /v3/messages and GET /v3/available_number.
#pragma once

#include "meta/chats.hpp"

#include <optional>
#include <string>
#include <vector>

namespace satchel {

struct LineChoice {
    std::string line;
    std::optional<meta::ChatRow> chat;  // The one with exactly `to` that was used last.
};

// The line of that chat, else the first line that is not excluded and not among `to`.
// reasons::no_eligible_line.
Result<LineChoice> choose_line(meta::Session& session,
                               PartnerId partner,
                               const std::vector<std::string>& to,
                               const std::vector<std::string>& excluded);

}  // namespace satchel
