// Files of messages that come in, while they are still where the carrier keeps them.
//
// A URL below the bridge's own scheme, host and port is opened like the bridge itself: the
// operator named that address. Any other URL is a stranger's, whoever passed it on, and is opened
// under the rules for what clients name (docs/adr/0009-fetch.md).
#pragma once

#include "base/async.hpp"
#include "fetch/fetch.hpp"
#include "model/carried_message.hpp"
#include "service/media_service.hpp"

#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace satchel {

class CarriedMedia {
public:
    struct Parts {
        MediaService& media;
        fetch::Fetcher& fetcher;
        fetch::Fetcher* bridge_fetcher = nullptr;  // Null: there is no bridge.
        std::string bridge_url;
    };
    explicit CarriedMedia(Parts parts);

    // Downloads the file within `total_max` and stages it for `partner`. Nullopt if it is refused
    // for good: its address, size, content, or the answer of who keeps it. Errc::unavailable if
    // it may come yet.
    Async<std::optional<StagedMedia>> stage(PartnerId partner,
                                            CarriedFile file,
                                            std::chrono::milliseconds total_max);

private:
    fetch::Fetcher& fetcher_for(std::string_view url) const;

    Parts parts_;
    std::string bridge_origin_;  // With a slash at its end.
};

// The first of `declared` that is a known type, else by the name's extension. What carriers bring
// is not held to the types that partners may send. reasons::invalid_file_type.
Result<std::string> carried_type(std::initializer_list<std::string_view> declared,
                                 std::string_view filename);

}  // namespace satchel
