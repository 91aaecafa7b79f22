#include "api/download_caching.hpp"

namespace satchel::api {

// The edge is addressed by headers of its own: by RFC 9213 and, for nginx, X-Accel-Expires, which
// goes before what Cache-Control says.
void add_cache_headers(http::Response& response, CacheLife cache, AttachmentId attachment) {
    if (cache.caches == Caches::none) {
        response.with("Cache-Control", "private, no-store");
        return;
    }
    const std::string life = std::to_string(cache.life.count());
    response.with("Cache-Control", "private, max-age=" + life + ", must-revalidate");
    if (cache.caches == Caches::own) return;
    if (cache.life.count() == 0) {
        response.with("CDN-Cache-Control", "no-store");
        return;
    }
    response.with("CDN-Cache-Control", "max-age=" + life + ", must-revalidate");
    response.with("X-Accel-Expires", life);
    response.with("Cache-Tag", attachment.str());
}

}  // namespace satchel::api
