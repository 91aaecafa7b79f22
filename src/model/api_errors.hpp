// The public error table: contract for clients, docs/api/errors.md for people.
// api/error_response.cpp alone turns these into HTTP answers.
#pragma once

#include "base/result.hpp"

#include <span>
#include <string>

namespace satchel::reasons {

extern const Reason missing_required_field;   // 1001 400
extern const Reason invalid_phone_number;     // 1002 400
extern const Reason invalid_request_body;     // 1003 400
extern const Reason request_body_too_large;   // 1003 413
extern const Reason request_head_too_large;   // 1003 431
extern const Reason bad_request;              // 1003 400: not HTTP as it should be
extern const Reason unprocessable;            // 1003 422
extern const Reason invalid_message_content;  // 1004 400
extern const Reason invalid_parameter;        // 1005 400
extern const Reason method_not_allowed;       // 1005 405
extern const Reason cannot_update_dm;         // 1006 409
extern const Reason rate_limited;             // 1007 429
extern const Reason invalid_app_card;         // 1008 400
extern const Reason resource_not_found;       // 2001 404: no such path
extern const Reason message_not_found;        // 2002 404
extern const Reason attachment_not_found;     // 2003 404
extern const Reason unauthorized;             // 2004 401
extern const Reason quota_exceeded;           // 2005 403
extern const Reason phone_permission_denied;  // 2006 403
extern const Reason attachment_not_ready;     // 2007 404
extern const Reason subscription_not_found;   // 2010 404
extern const Reason feature_not_available;    // 2011 403
extern const Reason contact_card_not_found;   // 2012 404
extern const Reason chat_unavailable;         // 2013 409
extern const Reason contact_card_exists;      // 2014 409
extern const Reason state_conflict;           // 2015 409
extern const Reason not_in_groups;            // 2016 409
extern const Reason not_on_this_service;      // 2017 409
extern const Reason app_card_needs_imessage;  // 2018 409
extern const Reason phone_number_not_found;   // 2019 404
extern const Reason mention_in_direct_chat;   // 2023 409
extern const Reason recipient_opted_out;      // 2024 403
extern const Reason handle_blocked;           // 2026 403
extern const Reason no_eligible_line;         // 2027 409
extern const Reason line_not_eligible;        // 2027 403
extern const Reason timed_out;                // 3005 504
extern const Reason internal_error;           // 3006 500
extern const Reason overloaded;               // 3006 503: try again
extern const Reason file_upload_failed;       // 5001 500
extern const Reason voice_memo_too_large;     // 5001 413
extern const Reason file_download_failed;     // 5002 500
extern const Reason presigned_url_failed;     // 5003 500
extern const Reason invalid_file_type;        // 5004 400
extern const Reason file_too_large;           // 5005 400
extern const Reason content_type_mismatch;    // 5006 400
extern const Reason media_fetch_failed;       // 5007 400

std::span<const Reason* const> all();

// https://docs.linqapp.com/error/codes/2xxx/2003/
std::string doc_url(const Reason& reason);

}  // namespace satchel::reasons
