// The syntax rules for what is sent: contract sections 3.2 and 3.4.
#pragma once

#include "base/result.hpp"
#include "model/message.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace satchel {

// A recipient is a phone number in E.164 (reasons::invalid_phone_number) or, with an @, an
// e-mail address (reasons::invalid_parameter).
Result<> check_handle(std::string_view handle);

// 1..limits::recipients_max handles; repeated ones count once.
Result<std::vector<std::string>> check_recipients(std::vector<std::string> to);

// 1..limits::text_characters_max characters, decorations within the text and of a known kind;
// an animation overlaps nothing; a mention's range too lies within the text.
// reasons::invalid_message_content.
Result<> check_text(const TextPart& part);
Result<> check_link(const LinkPart& part);
// Names that the wire knows. reasons::invalid_parameter.
Result<Effect> make_effect(std::string_view type, std::string_view name);

// Whether people would take some of it for a link: a scheme, or www. and a name.
bool contains_link(std::string_view text);

// Whether a recipient who writes this, and nothing else, wants no more messages (contract
// section 3.9).
bool is_opt_out(std::string_view text);

// Code points of valid UTF-8.
std::size_t count_characters(std::string_view text);

}  // namespace satchel
