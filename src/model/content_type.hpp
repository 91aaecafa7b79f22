// SupportedContentType: which declared types an attachment may have, and how each is served.
// Contract sections 2.6 and 2.10; the table for people is docs/api/content-types.md.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace satchel {

enum class Disposition : std::uint8_t { inline_, attachment };

struct ContentType {
    std::string_view name;       // Lower case, no parameters.
    std::string_view extension;  // The usual one, without a dot.
    std::string_view delivered;  // The type a recipient gets (contract: "Delivery").
    Disposition disposition;     // attachment for active content: html, xml, svg.
};

struct ContentTypePolicy {
    bool accept_webp_and_svg = false;  // media.accept_webp_and_svg
    bool accept_former_types = true;   // media.accept_former_types: image/jpg, audio/wav, ...
};

std::span<const ContentType> content_types();

// Finds what `declared` means: compared without case, blanks around it and parameters.
// Errors: reasons::invalid_file_type with a message that names the type and the way out.
Result<const ContentType*> check_content_type(std::string_view declared,
                                              const ContentTypePolicy& policy);

// The row for a type that was accepted once, whatever the policy is now; null if it is unknown.
const ContentType* find_content_type(std::string_view declared);

// The type that files with this extension have; without a dot, in any case. Null if unknown.
const ContentType* content_type_of_extension(std::string_view extension);

}  // namespace satchel
