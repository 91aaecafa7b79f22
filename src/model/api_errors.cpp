#include "model/api_errors.hpp"

#include <array>

namespace satchel::reasons {

constinit const Reason missing_required_field{
    1001, 400, Errc::invalid_argument, "A required field is missing. Send every required field"};
constinit const Reason invalid_request_body{
    1003, 400, Errc::invalid_argument,
    "The request body is not valid. Send a JSON object whose fields have the documented types"};
constinit const Reason request_body_too_large{
    1003, 413, Errc::too_large,
    "The request body is too large. File bytes go to upload_url, not into the JSON body"};
constinit const Reason request_head_too_large{
    1003, 431, Errc::too_large,
    "The request line and headers are too large. Send fewer or shorter headers"};
constinit const Reason bad_request{1003, 400, Errc::invalid_argument,
                                   "The request is not valid HTTP/1.1. Check the client"};
constinit const Reason invalid_parameter{
    1005, 400, Errc::invalid_argument,
    "A parameter has an invalid value. Check its type, range and format"};
constinit const Reason method_not_allowed{
    1005, 405, Errc::invalid_argument,
    "This path does not answer that method. Use one of those in the Allow header"};
constinit const Reason rate_limited{1007, 429, Errc::rate_limited,
                                    "Rate limited. Try again after the seconds in Retry-After"};
constinit const Reason invalid_app_card{
    1008, 400, Errc::invalid_argument,
    "The iMessage app card is not valid. Check its app, layout and url"};
constinit const Reason resource_not_found{2001, 404, Errc::not_found, "Resource not found"};
constinit const Reason attachment_not_found{2003, 404, Errc::not_found, "Attachment not found"};
constinit const Reason unauthorized{2004, 401, Errc::unauthenticated,
                                    "Unauthorized - missing or invalid authentication token"};
constinit const Reason quota_exceeded{
    2005, 403, Errc::permission_denied,
    "The account's quota is used up. Delete attachments, or ask whoever runs the service for more"};
constinit const Reason attachment_not_ready{
    2007, 404, Errc::not_found, "Attachment not ready. Upload its bytes to upload_url first"};
constinit const Reason feature_not_available{
    2011, 403, Errc::permission_denied,
    "This feature is not available to the account. Ask whoever runs the service"};
constinit const Reason timed_out{3005, 504, Errc::timed_out,
                                 "The operation took too long. Try again"};
constinit const Reason internal_error{3006, 500, Errc::internal, "Internal server error"};
constinit const Reason overloaded{
    3006, 503, Errc::unavailable,
    "The service is overloaded. Try again after the seconds in Retry-After"};
constinit const Reason file_upload_failed{5001, 500, Errc::unavailable,
                                          "The file could not be stored. Upload it again"};
constinit const Reason file_download_failed{5002, 500, Errc::unavailable,
                                            "The file could not be read. Try again"};
constinit const Reason presigned_url_failed{5003, 500, Errc::internal,
                                            "An upload URL could not be made. Try again"};
constinit const Reason invalid_file_type{
    5004, 400, Errc::invalid_argument,
    "The file type is not supported. Use one of the supported content types"};
constinit const Reason file_too_large{
    5005, 400, Errc::too_large, "The file is too large. An attachment has at most 104857600 bytes"};

constinit const Reason invalid_phone_number{1002, 400, Errc::invalid_argument,
                                            "Phone number must be in E.164 format"};
constinit const Reason invalid_message_content{
    1004, 400, Errc::invalid_argument,
    "The message content is not valid. Check the rules for its parts"};
constinit const Reason cannot_update_dm{
    1006, 409, Errc::conflict,
    "A direct chat cannot be updated. Only groups have a name and an icon"};
constinit const Reason message_not_found{2002, 404, Errc::not_found, "Message not found"};
constinit const Reason phone_permission_denied{
    2006, 403, Errc::permission_denied,
    "Access denied - this phone number is not one of your lines"};
constinit const Reason subscription_not_found{2010, 404, Errc::not_found,
                                              "Webhook subscription not found"};
constinit const Reason contact_card_not_found{2012, 404, Errc::not_found, "Contact card not found"};
constinit const Reason chat_unavailable{2013, 409, Errc::conflict,
                                        "The chat is not available: your line has left it"};
constinit const Reason contact_card_exists{
    2014, 409, Errc::conflict, "The line has a contact card already. Update it instead"};
constinit const Reason state_conflict{2015, 409, Errc::conflict,
                                      "The request conflicts with the current state"};
constinit const Reason not_in_groups{2016, 409, Errc::conflict,
                                     "This is not supported in group chats"};
constinit const Reason not_on_this_service{2017, 409, Errc::conflict,
                                           "This is not supported on the chat's service"};
constinit const Reason app_card_needs_imessage{
    2018, 409, Errc::conflict,
    "An iMessage app card can be sent over iMessage only. Send a text instead"};
constinit const Reason phone_number_not_found{2019, 404, Errc::not_found, "Phone number not found"};
constinit const Reason mention_in_direct_chat{2023, 409, Errc::conflict,
                                              "Mentions work in group chats only"};
constinit const Reason recipient_opted_out{
    2024, 403, Errc::permission_denied,
    "The recipient has opted out of messages. They must write first"};
constinit const Reason handle_blocked{2026, 403, Errc::permission_denied,
                                      "The recipient is on your list of blocked handles"};
constinit const Reason no_eligible_line{2027, 409, Errc::conflict,
                                        "None of your lines can send this message"};
constinit const Reason line_not_eligible{2027, 403, Errc::permission_denied,
                                         "This line is not yours any more and cannot send"};
constinit const Reason unprocessable{1003, 422, Errc::invalid_argument,
                                     "The request is well-formed but cannot be processed"};
constinit const Reason voice_memo_too_large{5001, 413, Errc::too_large,
                                            "Voice memo file too large - maximum size is 10MB"};
constinit const Reason content_type_mismatch{5006, 400, Errc::invalid_argument,
                                             "The file's content does not match its type"};
constinit const Reason media_fetch_failed{5007, 400, Errc::invalid_argument,
                                          "The file could not be downloaded from its URL"};

std::span<const Reason* const> all() {
    static constexpr std::array<const Reason*, 46> rows{
        &missing_required_field,
        &invalid_phone_number,
        &invalid_request_body,
        &request_body_too_large,
        &request_head_too_large,
        &bad_request,
        &unprocessable,
        &invalid_message_content,
        &invalid_parameter,
        &method_not_allowed,
        &cannot_update_dm,
        &rate_limited,
        &invalid_app_card,
        &resource_not_found,
        &message_not_found,
        &attachment_not_found,
        &unauthorized,
        &quota_exceeded,
        &phone_permission_denied,
        &attachment_not_ready,
        &subscription_not_found,
        &feature_not_available,
        &contact_card_not_found,
        &chat_unavailable,
        &contact_card_exists,
        &state_conflict,
        &not_in_groups,
        &not_on_this_service,
        &app_card_needs_imessage,
        &phone_number_not_found,
        &mention_in_direct_chat,
        &recipient_opted_out,
        &handle_blocked,
        &line_not_eligible,
        &no_eligible_line,
        &timed_out,
        &internal_error,
        &overloaded,
        &file_upload_failed,
        &voice_memo_too_large,
        &file_download_failed,
        &presigned_url_failed,
        &invalid_file_type,
        &file_too_large,
        &content_type_mismatch,
        &media_fetch_failed,
    };
    return rows;
}

std::string doc_url(const Reason& reason) {
    const std::string code = std::to_string(reason.code);
    return "https://docs.linqapp.com/error/codes/" + code.substr(0, 1) + "xxx/" + code + "/";
}

}  // namespace satchel::reasons
