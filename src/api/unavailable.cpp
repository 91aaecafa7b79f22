#include "api/unavailable.hpp"

#include "http/route_pattern.hpp"

#include <algorithm>
#include <array>

namespace satchel::api {
namespace {

using http::Method;

struct Known {
    Method method;
    std::string_view path;  // {} stands for one segment.
};

constexpr std::array known{
    Known{Method::get, "/chats/{}/location"},
    Known{Method::post, "/chats/{}/location/request"},
    Known{Method::post, "/chats/{}/background"},
    Known{Method::delete_, "/chats/{}/background"},
    Known{Method::post, "/chats/{}/polls"},
    Known{Method::post, "/messages/{}/update"},
    Known{Method::get, "/messages/{}/poll"},
    Known{Method::post, "/messages/{}/poll/options"},
    Known{Method::post, "/messages/{}/poll/votes"},
    Known{Method::post, "/phone_numbers/{}/reputation_audit"},
    Known{Method::get, "/phone_numbers/{}/reputation_audit/{}"},
    Known{Method::get, "/experiences"},
    Known{Method::get, "/experiences/{}"},
    Known{Method::post, "/payments"},
    Known{Method::get, "/payments/{}"},
    Known{Method::post, "/payments/{}/cancel"},
    Known{Method::get, "/payments/{}/credentials"},
    Known{Method::post, "/payment_requests"},
    Known{Method::get, "/payment_requests"},
    Known{Method::get, "/payment_requests/{}"},
    Known{Method::post, "/payment_requests/{}/cancel"},
    Known{Method::post, "/payments/handles/{}/connect"},
    Known{Method::post, "/payments/handles/{}/verify"},
    Known{Method::get, "/payments/handles/{}/connection"},
    Known{Method::delete_, "/payments/handles/{}/connection"},
    Known{Method::get, "/payments/providers/{}"},
    Known{Method::post, "/payments/providers/{}/connect"},
};

}  // namespace

bool is_unavailable(Method method, std::string_view path) {
    return std::ranges::any_of(known, [&](const Known& each) {
        return each.method == method && http::match_route(each.path, path).has_value();
    });
}

}  // namespace satchel::api
