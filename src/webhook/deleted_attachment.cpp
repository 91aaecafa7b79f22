#include "webhook/deleted_attachment.hpp"

#include "meta/webhook_outbox.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace satchel::webhook {
namespace {

namespace json = boost::json;

bool is_text(const json::value* value, std::string_view text) {
    return value != nullptr && value->is_string() && std::string_view(value->get_string()) == text;
}

void clear(json::value& value, std::string_view id) {
    if (value.is_array()) {
        for (json::value& each : value.get_array()) clear(each, id);
        return;
    }
    if (!value.is_object()) return;
    json::object& object = value.get_object();
    if (is_text(object.if_contains("type"), "media") && is_text(object.if_contains("id"), id)) {
        for (const char* name : {"id", "url", "filename", "mime_type", "size_bytes"}) {
            object[name] = nullptr;
        }
        return;
    }
    for (auto& member : object) clear(member.value(), id);
}

}  // namespace

std::string body_without(std::string_view body, AttachmentId attachment) {
    boost::system::error_code error;
    json::value value = json::parse({body.data(), body.size()}, error);
    if (error) return std::string(body);
    clear(value, attachment.str());
    return json::serialize(value);
}

Result<> forget_attachment(meta::Session& session, AttachmentId attachment) {
    TRY(auto rows, meta::bodies_showing(session, attachment));
    for (meta::ShowingBody& row : rows) {
        row.body = body_without(row.body, attachment);
        CHECK(meta::replace_body(session, row));
    }
    return {};
}

}  // namespace satchel::webhook
