#include "api/routes.hpp"

#include "api/attachments.hpp"
#include "api/chat_changes.hpp"
#include "api/chats.hpp"
#include "api/contact_cards.hpp"
#include "api/downloads.hpp"
#include "api/message_changes.hpp"
#include "api/messages.hpp"
#include "api/phone_numbers.hpp"
#include "api/recipients.hpp"
#include "api/webhooks.hpp"

namespace satchel::api {
namespace {

using http::Method;

constexpr std::array route_table{
    Route{Method::post, "POST", "/attachments", "attachment_create", create_attachment,
          CallKind::create},
    Route{Method::get, "GET", "/attachments/{id}", "attachment_get", get_attachment},
    Route{Method::get, "GET", "/attachments/{id}/preview", "attachment_preview", get_preview},
    Route{Method::delete_, "DELETE", "/attachments/{id}", "attachment_delete", delete_attachment},
    Route{Method::post, "POST", "/chats", "chat_create", create_chat, CallKind::send},
    Route{Method::get, "GET", "/chats", "chat_list", list_chats},
    Route{Method::get, "GET", "/chats/{id}", "chat_get", get_chat},
    Route{Method::post, "POST", "/chats/{id}/messages", "chat_send", send_message, CallKind::send},
    Route{Method::get, "GET", "/chats/{id}/messages", "message_list", list_messages},
    Route{Method::post, "POST", "/chats/{id}/voicememo", "voice_memo", send_voice_memo,
          CallKind::send},
    Route{Method::post, "POST", "/messages", "message_send", send_message_from_any, CallKind::send},
    Route{Method::get, "GET", "/messages/{id}", "message_get", get_message},
    Route{Method::delete_, "DELETE", "/messages/{id}", "message_delete", delete_message},
    Route{Method::get, "GET", "/messages/{id}/thread", "message_thread", get_thread},
    Route{Method::get, "GET", "/phone_numbers", "phone_numbers", list_phone_numbers},
    Route{Method::patch, "PATCH", "/messages/{id}", "message_edit", edit_message},
    Route{Method::post, "POST", "/messages/{id}/reactions", "message_react", react_to_message},
    Route{Method::put, "PUT", "/chats/{id}", "chat_update", update_chat},
    Route{Method::post, "POST", "/chats/{id}/read", "chat_read", mark_chat_read},
    Route{Method::post, "POST", "/chats/{id}/typing", "typing_start", start_typing},
    Route{Method::delete_, "DELETE", "/chats/{id}/typing", "typing_stop", stop_typing},
    Route{Method::post, "POST", "/chats/{id}/participants", "participant_add", add_participant},
    Route{Method::delete_, "DELETE", "/chats/{id}/participants", "participant_remove",
          remove_participant},
    Route{Method::post, "POST", "/chats/{id}/leave", "chat_leave", leave_chat},
    Route{Method::post, "POST", "/chats/{id}/share_contact_card", "card_share", share_contact_card},
    Route{Method::post, "POST", "/contact_card", "card_create", create_contact_card},
    Route{Method::get, "GET", "/contact_card", "card_list", list_contact_cards},
    Route{Method::patch, "PATCH", "/contact_card", "card_update", update_contact_card},
    Route{Method::get, "GET", "/blocked_handles", "blocked_list", list_blocked_handles},
    Route{Method::post, "POST", "/blocked_handles", "blocked_add", block_handle},
    Route{Method::delete_, "DELETE", "/blocked_handles", "blocked_remove", unblock_handle},
    Route{Method::post, "POST", "/capability/check_imessage", "check_imessage", check_imessage},
    Route{Method::post, "POST", "/capability/check_rcs", "check_rcs", check_rcs},
    Route{Method::get, "GET", "/available_number", "available_number", get_available_number},
    Route{Method::put, "PUT", "/phone_numbers/{id}", "phone_number_update", update_phone_number},
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

}  // namespace satchel::api
