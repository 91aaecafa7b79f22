#include "api/routes.hpp"

#include "api/attachments.hpp"
#include "api/chats.hpp"
#include "api/downloads.hpp"
#include "api/messages.hpp"
#include "api/phone_numbers.hpp"
#include "api/webhooks.hpp"

namespace satchel::api {
namespace {

using http::Method;

constexpr std::array route_table{
    Route{Method::post, "POST", "/attachments", "attachment_create", create_attachment},
    Route{Method::get, "GET", "/attachments/{id}", "attachment_get", get_attachment},
    Route{Method::get, "GET", "/attachments/{id}/preview", "attachment_preview", get_preview},
    Route{Method::delete_, "DELETE", "/attachments/{id}", "attachment_delete", delete_attachment},
    Route{Method::post, "POST", "/chats", "chat_create", create_chat},
    Route{Method::get, "GET", "/chats", "chat_list", list_chats},
    Route{Method::get, "GET", "/chats/{id}", "chat_get", get_chat},
    Route{Method::post, "POST", "/chats/{id}/messages", "chat_send", send_message},
    Route{Method::get, "GET", "/chats/{id}/messages", "message_list", list_messages},
    Route{Method::post, "POST", "/chats/{id}/voicememo", "voice_memo", send_voice_memo},
    Route{Method::post, "POST", "/messages", "message_send", send_message_from_any},
    Route{Method::get, "GET", "/messages/{id}", "message_get", get_message},
    Route{Method::delete_, "DELETE", "/messages/{id}", "message_delete", delete_message},
    Route{Method::get, "GET", "/messages/{id}/thread", "message_thread", get_thread},
    Route{Method::get, "GET", "/phone_numbers", "phone_numbers", list_phone_numbers},
    Route{Method::get, "GET", "/phonenumbers", "phonenumbers", list_phonenumbers},
    Route{Method::post, "POST", "/webhook-subscriptions", "webhook_create", create_subscription},
    Route{Method::get, "GET", "/webhook-subscriptions", "webhook_list", list_subscriptions},
    Route{Method::get, "GET", "/webhook-subscriptions/{id}", "webhook_get", get_subscription},
    Route{Method::put, "PUT", "/webhook-subscriptions/{id}", "webhook_update", update_subscription},
    Route{Method::delete_, "DELETE", "/webhook-subscriptions/{id}", "webhook_delete",
          delete_subscription},
    Route{Method::get, "GET", "/webhook-events", "webhook_events", list_webhook_events},
};

}  // namespace

std::span<const Route> routes() {
    return route_table;
}

bool matches(std::string_view pattern, std::string_view path, std::string_view& id) {
    static constexpr std::string_view placeholder = "{id}";
    const auto at = pattern.find(placeholder);
    if (at == std::string_view::npos) return pattern == path;
    const std::string_view before = pattern.substr(0, at);
    const std::string_view after = pattern.substr(at + placeholder.size());
    if (path.size() <= before.size() + after.size() || !path.starts_with(before) ||
        !path.ends_with(after)) {
        return false;
    }
    id = path.substr(before.size(), path.size() - before.size() - after.size());
    return id.find('/') == std::string_view::npos;
}

}  // namespace satchel::api
