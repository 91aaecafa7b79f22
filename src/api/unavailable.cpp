#include "api/unavailable.hpp"

#include <algorithm>
#include <array>

namespace satchel::api {
namespace {

using http::Method;

struct Known {
    Method method;
    std::string_view path;  // * stands for one segment.
};

constexpr std::array known{
    Known{Method::put, "/chats/*"},
    Known{Method::post, "/chats/*/read"},
    Known{Method::post, "/chats/*/typing"},
    Known{Method::delete_, "/chats/*/typing"},
    Known{Method::post, "/chats/*/participants"},
    Known{Method::delete_, "/chats/*/participants"},
    Known{Method::post, "/chats/*/leave"},
    Known{Method::post, "/chats/*/share_contact_card"},
    Known{Method::get, "/chats/*/location"},
    Known{Method::post, "/chats/*/location/request"},
    Known{Method::post, "/chats/*/background"},
    Known{Method::delete_, "/chats/*/background"},
    Known{Method::post, "/chats/*/polls"},
    Known{Method::patch, "/messages/*"},
    Known{Method::post, "/messages/*/reactions"},
    Known{Method::post, "/messages/*/update"},
    Known{Method::get, "/messages/*/poll"},
    Known{Method::post, "/messages/*/poll/options"},
    Known{Method::post, "/messages/*/poll/votes"},
    Known{Method::put, "/phone_numbers/*"},
    Known{Method::post, "/phone_numbers/*/reputation_audit"},
    Known{Method::get, "/phone_numbers/*/reputation_audit/*"},
    Known{Method::get, "/available_number"},
    Known{Method::post, "/capability/check_imessage"},
    Known{Method::post, "/capability/check_rcs"},
    Known{Method::post, "/contact_card"},
    Known{Method::get, "/contact_card"},
    Known{Method::patch, "/contact_card"},
    Known{Method::get, "/blocked_handles"},
    Known{Method::post, "/blocked_handles"},
    Known{Method::delete_, "/blocked_handles"},
    Known{Method::get, "/experiences"},
    Known{Method::get, "/experiences/*"},
    Known{Method::post, "/payments"},
    Known{Method::get, "/payments/*"},
    Known{Method::post, "/payments/*/cancel"},
    Known{Method::get, "/payments/*/credentials"},
    Known{Method::post, "/payment_requests"},
    Known{Method::get, "/payment_requests"},
    Known{Method::get, "/payment_requests/*"},
    Known{Method::post, "/payment_requests/*/cancel"},
    Known{Method::post, "/payments/handles/*/connect"},
    Known{Method::post, "/payments/handles/*/verify"},
    Known{Method::get, "/payments/handles/*/connection"},
    Known{Method::delete_, "/payments/handles/*/connection"},
    Known{Method::get, "/payments/providers/*"},
    Known{Method::post, "/payments/providers/*/connect"},
};

std::string_view take_segment(std::string_view& path) {
    path.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    return segment;
}

bool fits(std::string_view pattern, std::string_view path) {
    while (!pattern.empty() && path.starts_with('/')) {
        const std::string_view wanted = take_segment(pattern);
        const std::string_view found = take_segment(path);
        if (found.empty() || (wanted != "*" && wanted != found)) return false;
    }
    return pattern.empty() && path.empty();
}

}  // namespace

bool is_unavailable(Method method, std::string_view path) {
    return std::ranges::any_of(
        known, [&](const Known& each) { return each.method == method && fits(each.path, path); });
}

}  // namespace satchel::api
