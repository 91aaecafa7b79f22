#include "api/attachments.hpp"

#include "api/json_text.hpp"
#include "api/parse.hpp"
#include "base/limits.hpp"
#include "model/api_errors.hpp"

#include <boost/json.hpp>

namespace satchel::api {
namespace {

namespace json = boost::json;

http::Response json_response(int status, std::string body) {
    http::Response response;
    response.status = status;
    response.with("Content-Type", "application/json");
    response.body = std::move(body);
    return response;
}

}  // namespace

Result<CreateAttachment> parse_create_attachment(std::string_view body) {
    TRY(const json::object object, parse_object(body));
    CreateAttachment command;
    TRY(command.filename, required_string(object, "filename"));
    TRY(command.content_type, required_string(object, "content_type"));
    TRY(command.size_bytes, required_integer(object, "size_bytes"));
    return command;
}

Async<http::Response> create_attachment(Call call) {
    CO_TRY(const std::string body, co_await read_json_body(call.request));
    CO_TRY(CreateAttachment command, parse_create_attachment(body));
    CO_TRY(const Attachment attachment,
           co_await call.services.attachments.create(call.caller.partner, std::move(command)));
    const Time now = call.services.clock.now();
    std::string required_headers =
        JsonText()
            .text("Content-Type", attachment.content_type)
            .plain("Content-Length", std::to_string(attachment.size_bytes))
            .finish();
    co_return json_response(
        200, JsonText()
                 .plain("attachment_id", attachment.id.str())
                 .plain("upload_url", call.services.urls.upload_url(attachment))
                 .plain("download_url", call.services.urls.url_of(attachment, now))
                 .plain("http_method", "PUT")
                 .plain("expires_at", to_rfc3339_seconds(attachment.upload_expires_at))
                 .raw("required_headers", required_headers)
                 .finish());
}

Async<http::Response> get_attachment(Call call) {
    CO_TRY(const AttachmentId id, parse_id<AttachmentId>(call.id, "attachmentId"));
    CO_TRY(const Attachment attachment,
           co_await call.services.attachments.find(call.caller.partner, id));
    JsonText answer;
    answer.plain("id", attachment.id.str())
        .text("filename", attachment.filename)
        .text("content_type", attachment.content_type)
        .number("size_bytes", attachment.size_bytes)
        .plain("status", to_string(attachment.state))
        .plain("created_at", to_rfc3339(attachment.created_at));
    if (attachment.state == AttachmentState::complete) {
        answer.plain("download_url",
                     call.services.urls.url_of(attachment, call.services.clock.now()));
    }
    co_return json_response(200, answer.finish());
}

Async<http::Response> delete_attachment(Call call) {
    CO_TRY(const AttachmentId id, parse_id<AttachmentId>(call.id, "attachmentId"));
    std::string actor = "key:" + call.caller.key.str();
    CO_CHECK(co_await call.services.deletions.remove(call.caller.partner, id,
                                                     {"delete", std::move(actor)}));
    http::Response response;
    response.status = 204;
    co_return response;
}

}  // namespace satchel::api
