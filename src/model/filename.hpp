// File names as clients give them, and the forms that may stand in a URL or a header.
// Contract sections 2.2 and 2.7.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace satchel {

// 1..255 characters (Unicode code points; `name` is valid UTF-8), no executable extension.
// Errors: reasons::invalid_parameter, reasons::invalid_file_type.
Result<> check_filename(std::string_view name);

// A single path segment: '/', '\', NUL and control characters replaced, leading dots cut,
// percent-encoded. Never empty, never "." or "..".
std::string filename_for_url(std::string_view name);

// The last segment of an absolute URL's path, without its escapes if that is UTF-8; "attachment"
// without one. Anything but a checked name.
std::string filename_in_url(std::string_view url);

// The parameters of a Content-Disposition value (RFC 6266): filename="ascii" and, where that
// loses something, filename*=UTF-8''... (RFC 8187). Contains visible ASCII and blanks only.
std::string filename_for_header(std::string_view name);

// The name with another extension in place of its last one: "scan.tiff" becomes "scan.jpg". A
// name without one gets it.
std::string with_extension(std::string_view name, std::string_view extension);

}  // namespace satchel
