// A message as the carrier's bridge hands it in. Protocol: docs/api/gateway.md.
#pragma once

#include "base/clock.hpp"
#include "model/message.hpp"

#include <string>
#include <variant>
#include <vector>

namespace satchel {

// A file that is still where the carrier keeps it.
struct CarriedFile {
    std::string url;
    std::string filename;      // Empty: the URL's.
    std::string content_type;  // Empty: what the download says.
};

using CarriedPart = std::variant<TextPart, CarriedFile>;

struct CarriedMessage {
    std::string bridge_id;  // The bridge's own; once for each line.
    std::string line;
    std::string from;
    std::vector<std::string> others;  // Further participants: then it is a group.
    std::vector<CarriedPart> parts;
    Service service = Service::imessage;
    Time sent_at{};  // As the carrier says, but not later than when it came in.

    bool has_files() const;
};

}  // namespace satchel
