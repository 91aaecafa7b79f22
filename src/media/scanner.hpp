// Asks somebody else whether content is malicious.
#pragma once

#include "base/async.hpp"
#include "media/content.hpp"

#include <optional>
#include <string>

namespace satchel::media {

class Scanner {
public:
    virtual ~Scanner() = default;
    // The name of what was found; nullopt: nothing. Errc::unavailable if the scanner cannot be
    // asked or gives no verdict, Errc::timed_out if it does not answer; else the errors of
    // content.read_at().
    virtual Async<std::optional<std::string>> scan(Content& content) = 0;
};

}  // namespace satchel::media
