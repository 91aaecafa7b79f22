#include "admin/inbound.hpp"

#include "admin/multipart.hpp"
#include "admin/render.hpp"
#include "base/limits.hpp"
#include "model/api_errors.hpp"
#include "model/filename.hpp"
#include "model/message_rules.hpp"
#include "service/carried_media.hpp"

#include <boost/json.hpp>

namespace satchel::admin {
namespace {

namespace json = boost::json;

class PartSource : public MediaSource {
public:
    explicit PartSource(MultipartReader& reader) : reader_(reader) {}
    Async<std::size_t> fill(std::span<std::byte> target) override {
        co_return co_await reader_.fill(target);
    }

private:
    MultipartReader& reader_;
};

struct Announced {
    std::string line;
    std::string from;
    std::string text;
};

Result<Announced> parse_announced(const std::string& body) {
    boost::system::error_code error;
    const json::value value = json::parse(body, error);
    if (error || !value.is_object()) {
        return fail(reasons::invalid_request_body, "message must be a JSON object");
    }
    const json::object& object = value.get_object();
    Announced out;
    TRY(out.line, string_field(object, "line"));
    TRY(out.from, string_field(object, "from"));
    const json::value* text = object.if_contains("text");
    if (text != nullptr && !text->is_null()) {
        TRY(out.text, string_field(object, "text"));
    }
    CHECK(check_handle(out.from));
    if (!out.text.empty()) CHECK(check_text({out.text, {}}));
    return out;
}

Async<> stage_media(Call& call,
                    MultipartReader& reader,
                    PartnerId partner,
                    InboundMessage& inbound) {
    while (true) {
        CO_TRY(const auto head, co_await reader.next());
        if (!head) break;
        if (head->name != "media") continue;
        if (inbound.parts.size() >= limits::message_parts_max) {
            co_return fail(reasons::invalid_message_content, "A message has at most 100 parts");
        }
        NewMedia media;
        media.partner = partner;
        media.filename = head->filename.empty() ? "attachment" : head->filename;
        CO_CHECK(check_filename(media.filename));
        CO_TRY(media.content_type, carried_type({head->content_type}, media.filename));
        PartSource source(reader);
        CO_TRY(auto staged, co_await call.services.media.stage(std::move(media), source));
        inbound.parts.emplace_back(std::move(staged));
    }
    co_return Result<>{};
}

json::object render(const Message& message) {
    json::array parts;
    for (const Part& part : message.parts) {
        if (const auto* text = std::get_if<TextPart>(&part)) {
            parts.push_back(json::object{{"type", "text"}, {"value", text->value}});
        }
        const auto* media = std::get_if<MediaPart>(&part);
        if (media == nullptr || !media->media) continue;
        parts.push_back(json::object{{"type", "media"},
                                     {"id", media->media->id.str()},
                                     {"url", media->media->url},
                                     {"filename", media->media->filename},
                                     {"mime_type", media->media->mime_type},
                                     {"size_bytes", media->media->size_bytes}});
    }
    return {{"message_id", message.id.str()},
            {"chat_id", message.chat.str()},
            {"partner_id", message.partner.str()},
            {"from", message.sender.handle},
            {"received_at", to_rfc3339(message.created_at)},
            {"parts", std::move(parts)}};
}

}  // namespace

Async<http::Response> receive_message(Call call) {
    const auto type = call.request.header("content-type").value_or("");
    CO_TRY(MultipartReader reader, MultipartReader::open(type, *call.request.body));
    CO_TRY(const auto first, co_await reader.next());
    if (!first || first->name != "message") {
        co_return fail(reasons::missing_required_field, "The first part must be message");
    }
    CO_TRY(const std::string text, co_await reader.read_text(limits::json_body_bytes_max));
    CO_TRY(const Announced announced, parse_announced(text));
    CO_TRY(const PartnerId partner, co_await call.services.inbound.partner_of(announced.line));

    InboundMessage inbound;
    inbound.line = announced.line;
    inbound.from = announced.from;
    if (!announced.text.empty()) inbound.parts.emplace_back(TextPart{announced.text, {}});
    auto staged = co_await stage_media(call, reader, partner, inbound);
    if (staged && inbound.parts.empty()) {
        staged = fail(reasons::missing_required_field, "A message has a text or media");
    }
    if (!staged) {
        co_await call.services.inbound.discard(inbound);
        co_return std::unexpected(std::move(staged).error());
    }
    CO_TRY(const Message message, co_await call.services.inbound.receive(std::move(inbound)));
    co_return json_response(201, render(message));
}

}  // namespace satchel::admin
