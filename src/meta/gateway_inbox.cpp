#include "meta/gateway_inbox.hpp"

#include "meta/columns.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace satchel::meta {
namespace {

namespace json = boost::json;

constexpr std::string_view message_field = "carried message";

json::object encode(const TextPart& part) {
    return {{"text", part.value}};
}

json::object encode(const CarriedFile& file) {
    return {{"url", file.url}, {"filename", file.filename}, {"content_type", file.content_type}};
}

// Line and bridge_id have columns of their own.
std::string encode(const CarriedMessage& message) {
    json::array parts;
    for (const CarriedPart& part : message.parts) {
        parts.push_back(std::visit([](const auto& each) { return encode(each); }, part));
    }
    json::array others;
    for (const std::string& other : message.others) others.emplace_back(other);
    const std::string_view service = to_string(message.service);
    return json::serialize(json::object{{"from", message.from},
                                        {"others", std::move(others)},
                                        {"parts", std::move(parts)},
                                        {"service", json::string(service.data(), service.size())},
                                        {"sent_at", to_micros(message.sent_at)}});
}

std::unexpected<Error> corrupt() {
    return fail(Errc::corrupt, "a row of gateway_inbox is damaged");
}

Result<std::string> text_of(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains({name.data(), name.size()});
    if (value == nullptr || !value->is_string()) return corrupt();
    return std::string(value->get_string());
}

Result<const json::array*> array_of(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains({name.data(), name.size()});
    if (value == nullptr || !value->is_array()) return corrupt();
    return &value->get_array();
}

Result<CarriedPart> decode_part(const json::value& value) {
    if (!value.is_object()) return corrupt();
    const json::object& object = value.get_object();
    if (object.contains("text")) {
        TextPart text;
        TRY(text.value, text_of(object, "text"));
        return text;
    }
    CarriedFile file;
    TRY(file.url, text_of(object, "url"));
    TRY(file.filename, text_of(object, "filename"));
    TRY(file.content_type, text_of(object, "content_type"));
    return file;
}

Result<CarriedMessage> decode(std::string_view stored) {
    boost::system::error_code error;
    const json::value value = json::parse({stored.data(), stored.size()}, error);
    if (error || !value.is_object()) return corrupt();
    const json::object& object = value.get_object();
    CarriedMessage message;
    TRY(message.from, text_of(object, "from"));
    TRY(const json::array* others, array_of(object, "others"));
    for (const json::value& other : *others) {
        if (!other.is_string()) return corrupt();
        message.others.emplace_back(other.get_string());
    }
    TRY(const json::array* parts, array_of(object, "parts"));
    for (const json::value& part : *parts) {
        TRY(message.parts.emplace_back(), decode_part(part));
    }
    TRY(const std::string service, text_of(object, "service"));
    const auto known = parse_service(service);
    const json::value* sent_at = object.if_contains("sent_at");
    if (!known || sent_at == nullptr || !sent_at->is_int64()) return corrupt();
    message.service = *known;
    message.sent_at = from_micros(sent_at->get_int64());
    return message;
}

Result<InboxRow> read_inbox(const Session& session, const Statement& row) {
    InboxRow out;
    out.seq = row.integer(0);
    TRY(out.message, id_at<MessageId>(row, 1));
    TRY(out.partner, id_at<PartnerId>(row, 2));
    out.received_at = time_at(row, 3);
    if (row.is_null(4)) return out;
    TRY(const std::string stored,
        sealed_text_at(row, 4, session, message_field, out.message.bytes()));
    TRY(out.content, decode(stored));
    out.content->line = row.text(5);
    out.content->bridge_id = row.text(6);
    return out;
}

}  // namespace

Result<> insert_inbox(Session& session, InboxRow& row) {
    const CarriedMessage& content = *row.content;
    TRY(auto added,
        session.query("INSERT INTO gateway_inbox (line, bridge_id, message, partner, received_at, "
                      "sealed_message) VALUES ($1, $2, $3, $4, $5, $6) RETURNING seq",
                      content.line, content.bridge_id, row.message, row.partner, row.received_at,
                      session.texts().seal(message_field, row.message.bytes(), encode(content))));
    TRY([[maybe_unused]] const bool found, added->step());
    row.seq = added->integer(0);
    return {};
}

Result<std::optional<InboxRow>> find_inbox(Session& session, std::int64_t seq) {
    TRY(auto statement,
        session.query("SELECT seq, message, partner, received_at, sealed_message, line, bridge_id "
                      "FROM gateway_inbox WHERE seq = $1",
                      seq));
    return first_row(*statement,
                     [&session](const Statement& row) { return read_inbox(session, row); });
}

Result<std::optional<MessageId>> find_inbox_message(Session& session,
                                                    std::string_view line,
                                                    std::string_view bridge_id) {
    TRY(auto statement,
        session.query("SELECT message FROM gateway_inbox WHERE line = $1 AND bridge_id = $2", line,
                      bridge_id));
    return first_row(*statement, [](const Statement& row) { return id_at<MessageId>(row, 0); });
}

Result<bool> finish_inbox(Session& session, std::int64_t seq) {
    TRY(auto statement,
        session.query("UPDATE gateway_inbox SET sealed_message = NULL WHERE seq = $1 AND "
                      "sealed_message IS NOT NULL RETURNING 1",
                      seq));
    return changed(*statement);
}

Result<> drop_finished_inbox(Session& session, Time before, std::size_t max) {
    return session.run(
        "DELETE FROM gateway_inbox WHERE seq IN (SELECT seq FROM gateway_inbox WHERE "
        "sealed_message IS NULL AND received_at < $1 ORDER BY received_at LIMIT $2)",
        before, max);
}

}  // namespace satchel::meta
