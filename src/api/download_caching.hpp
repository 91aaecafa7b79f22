// Who may keep a download for how long: contract section 2.8, docs/operations/edge.md.
#pragma once

#include "http/message.hpp"
#include "model/ids.hpp"

#include <chrono>
#include <cstdint>

namespace satchel::api {

enum class Caches : std::uint8_t {
    none,  // Nobody keeps it: the URL is good for a while only.
    own,   // The client's own, for `life`.
    edge,  // And the operator's edge. No cache of strangers that many share, ever.
};
struct CacheLife {
    Caches caches = Caches::none;
    std::chrono::seconds life{0};  // How long a copy may outlive a deletion.
};

// On 200, 206 and 304. What is no file carries no-store, as every error does.
void add_cache_headers(http::Response& response, CacheLife cache, AttachmentId attachment);

}  // namespace satchel::api
