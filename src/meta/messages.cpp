#include "meta/messages.hpp"

#include "meta/columns.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace satchel::meta {
namespace {

namespace json = boost::json;

#define SATCHEL_MESSAGE_COLUMNS                                                              \
    "seq, id, partner, chat, ordinal, direction, sender, service, preferred_service, "       \
    "sealed_parts, "                                                                         \
    "effect_type, effect_name, reply_message, reply_part, thread, idempotency_key, status, " \
    "created_at, updated_at, sent_at, delivered_at, read_at, edits, copy_of, expires_at"

constexpr std::string_view parts_field = "message parts";

std::unexpected<Error> corrupt() {
    return fail(Errc::corrupt, "a message's row is damaged");
}

json::string_view text(std::string_view value) {
    return {value.data(), value.size()};
}

std::string_view text_of(const json::value* value) {
    if (value == nullptr || !value->is_string()) return {};
    return {value->get_string().data(), value->get_string().size()};
}

json::object encode(const TextPart& part) {
    json::object out{{"text", text(part.value)}};
    if (!part.mention.empty()) out["mention"] = text(part.mention);
    if (part.mention_range) {
        out["mention_range"] = json::array{part.mention_range->begin, part.mention_range->end};
    }
    if (part.decorations.empty()) return out;
    json::array decorations;
    for (const TextDecoration& each : part.decorations) {
        decorations.push_back(
            json::array{each.begin, each.end, text(each.style), text(each.animation)});
    }
    out["decorations"] = std::move(decorations);
    return out;
}

json::object encode(const StoredMedia& part) {
    json::object out{{"attachment", part.attachment.str()}};
    if (!part.form.empty()) out["form"] = text(part.form);
    return out;
}

json::object encode(const LinkPart& part) {
    return {{"link", text(part.value)}};
}

json::object encode(const StoredAppCard& part) {
    const AppCard& card = part.card;
    json::object texts;
    for (const CardText& each : card.texts) texts[text(each.name)] = text(each.value);
    json::object out{{"bundle", text(card.bundle_id)}, {"name", text(card.app_name)},
                     {"team", text(card.team_id)},     {"texts", std::move(texts)},
                     {"url", text(card.url)},          {"interactive", card.is_interactive}};
    if (card.app_store_id) out["store"] = *card.app_store_id;
    if (card.fallback_text) out["fallback"] = text(*card.fallback_text);
    if (part.image) out["image"] = part.image->str();
    return {{"app_card", std::move(out)}};
}

Result<std::uint32_t> decode_index(const json::value& value) {
    if (!value.is_int64()) return corrupt();
    return static_cast<std::uint32_t>(value.get_int64());
}

Result<StoredAppCard> decode_app_card(const json::value& value) {
    if (!value.is_object()) return corrupt();
    const json::object& object = value.get_object();
    StoredAppCard part;
    part.card.bundle_id = text_of(object.if_contains("bundle"));
    part.card.app_name = text_of(object.if_contains("name"));
    part.card.team_id = text_of(object.if_contains("team"));
    part.card.url = text_of(object.if_contains("url"));
    if (const json::value* store = object.if_contains("store"); store && store->is_int64()) {
        part.card.app_store_id = store->get_int64();
    }
    if (const json::value* fallback = object.if_contains("fallback")) {
        part.card.fallback_text = text_of(fallback);
    }
    const json::value* interactive = object.if_contains("interactive");
    part.card.is_interactive = interactive == nullptr || *interactive == json::value(true);
    const json::value* texts = object.if_contains("texts");
    if (texts == nullptr || !texts->is_object()) return corrupt();
    for (const auto& [name, each] : texts->get_object()) {
        const auto known = find_card_text_name({name.data(), name.size()});
        if (!known) return corrupt();
        part.card.texts.push_back({*known, std::string(text_of(&each))});
    }
    if (const json::value* image = object.if_contains("image")) {
        part.image = AttachmentId::parse(text_of(image));
        if (!part.image) return corrupt();
    }
    return part;
}

Result<TextPart> decode_text(const json::object& object) {
    TextPart part{std::string(text_of(object.if_contains("text"))), {}};
    part.mention = text_of(object.if_contains("mention"));
    if (const json::value* range = object.if_contains("mention_range")) {
        if (!range->is_array() || range->get_array().size() != 2) return corrupt();
        part.mention_range.emplace();
        TRY(part.mention_range->begin, decode_index(range->get_array()[0]));
        TRY(part.mention_range->end, decode_index(range->get_array()[1]));
    }
    const json::value* decorations = object.if_contains("decorations");
    if (decorations == nullptr) return part;
    if (!decorations->is_array()) return corrupt();
    for (const json::value& each : decorations->get_array()) {
        if (!each.is_array() || each.get_array().size() != 4) return corrupt();
        const json::array& values = each.get_array();
        if (!values[0].is_int64() || !values[1].is_int64()) return corrupt();
        part.decorations.push_back({static_cast<std::uint32_t>(values[0].get_int64()),
                                    static_cast<std::uint32_t>(values[1].get_int64()),
                                    std::string(text_of(&values[2])),
                                    std::string(text_of(&values[3]))});
    }
    return part;
}

Result<StoredPart> decode_part(const json::value& value) {
    if (!value.is_object()) return corrupt();
    const json::object& object = value.get_object();
    if (object.contains("text")) return decode_text(object);
    if (object.contains("link")) {
        return LinkPart{std::string(text_of(object.if_contains("link")))};
    }
    if (const json::value* card = object.if_contains("app_card")) return decode_app_card(*card);
    const auto id = AttachmentId::parse(text_of(object.if_contains("attachment")));
    if (!id) return corrupt();
    return StoredMedia{*id, std::string(text_of(object.if_contains("form")))};
}

Result<> read_words(const Statement& row, MessageRow& out) {
    out.direction =
        row.text(5) == to_string(Direction::inbound) ? Direction::inbound : Direction::outbound;
    const auto service = parse_service(row.text(7));
    const auto status = parse_delivery_status(row.text(16));
    if (!service || !status) return corrupt();
    out.service = *service;
    out.status = *status;
    if (!row.is_null(8)) out.preferred_service = parse_service(row.text(8));
    if (!row.is_null(10)) {
        const auto type = row.text(10) == "screen" ? EffectType::screen : EffectType::bubble;
        out.effect = Effect{type, std::string(row.text(11))};
    }
    if (!row.is_null(15)) out.idempotency_key = row.text(15);
    return {};
}

Result<MessageRow> read_message(const Session& session, const Statement& row) {
    MessageRow out;
    out.seq = row.integer(0);
    TRY(out.id, id_at<MessageId>(row, 1));
    TRY(out.partner, id_at<PartnerId>(row, 2));
    out.chat = row.integer(3);
    out.ordinal = row.integer(4);
    out.sender = static_cast<int>(row.integer(6));
    CHECK(read_words(row, out));
    TRY(const std::string parts, sealed_text_at(row, 9, session, parts_field, out.id.bytes()));
    TRY(out.parts, decode_parts(parts));
    TRY(const auto reply, optional_id_at<MessageId>(row, 12));
    if (reply) out.reply_to = ReplyTo{*reply, static_cast<std::uint32_t>(row.integer(13))};
    if (!row.is_null(14)) out.thread = row.integer(14);
    out.created_at = time_at(row, 17);
    out.updated_at = time_at(row, 18);
    out.sent_at = optional_time_at(row, 19);
    out.delivered_at = optional_time_at(row, 20);
    out.read_at = optional_time_at(row, 21);
    out.edits = static_cast<std::uint32_t>(row.integer(22));
    TRY(out.copy_of, optional_id_at<MessageId>(row, 23));
    out.expires_at = optional_time_at(row, 24);
    return out;
}

auto reader(const Session& session) {
    return [&session](const Statement& row) { return read_message(session, row); };
}

}  // namespace

std::string encode_parts(const std::vector<StoredPart>& parts) {
    json::array out;
    for (const StoredPart& part : parts) {
        out.push_back(std::visit([](const auto& each) { return encode(each); }, part));
    }
    return json::serialize(out);
}

Result<std::vector<StoredPart>> decode_parts(std::string_view stored) {
    boost::system::error_code error;
    const json::value value = json::parse(text(stored), error);
    if (error || !value.is_array()) return corrupt();
    std::vector<StoredPart> parts;
    for (const json::value& each : value.get_array()) {
        TRY(parts.emplace_back(), decode_part(each));
    }
    return parts;
}

Result<> insert_message(Session& session, MessageRow& row) {
    std::optional<std::string_view> preferred;
    std::optional<std::string_view> effect_type;
    std::optional<std::string_view> effect_name;
    std::optional<MessageId> reply;
    std::optional<std::uint32_t> reply_part;
    if (row.preferred_service) preferred = to_string(*row.preferred_service);
    if (row.effect) {
        effect_type = to_string(row.effect->type);
        effect_name = row.effect->name;
    }
    if (row.reply_to) {
        reply = row.reply_to->message;
        reply_part = row.reply_to->part_index;
    }
    TRY(auto added,
        session.query(
            "INSERT INTO messages (id, partner, chat, ordinal, direction, sender, "
            "service, preferred_service, sealed_parts, effect_type, effect_name, "
            "reply_message, reply_part, thread, idempotency_key, status, created_at, "
            "updated_at, sent_at, delivered_at, read_at, copy_of, expires_at) VALUES ($1, $2, $3, "
            "$4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, "
            "$20, $21, $22, $23) RETURNING seq",
            row.id, row.partner, row.chat, row.ordinal, to_string(row.direction), row.sender,
            to_string(row.service), preferred,
            session.texts().seal(parts_field, row.id.bytes(), encode_parts(row.parts)), effect_type,
            effect_name, reply, reply_part, row.thread, row.idempotency_key, to_string(row.status),
            row.created_at, row.updated_at, row.sent_at, row.delivered_at, row.read_at, row.copy_of,
            row.expires_at));
    TRY([[maybe_unused]] const bool found, added->step());
    row.seq = added->integer(0);
    return {};
}

Result<std::optional<MessageRow>> find_message(Session& session, MessageId id, Time now) {
    TRY(auto statement,
        session.query("SELECT " SATCHEL_MESSAGE_COLUMNS " FROM messages WHERE id = $1 "
                      "AND (expires_at IS NULL OR expires_at > $2)",
                      id, now));
    return first_row(*statement, reader(session));
}

Result<std::optional<MessageRow>> find_message_by_seq(Session& session,
                                                      std::int64_t seq,
                                                      Time now) {
    TRY(auto statement,
        session.query("SELECT " SATCHEL_MESSAGE_COLUMNS " FROM messages WHERE seq = $1 "
                      "AND (expires_at IS NULL OR expires_at > $2)",
                      seq, now));
    return first_row(*statement, reader(session));
}

Result<std::vector<MessageRow>> messages_of_chat(
    Session& session, std::int64_t chat, std::int64_t before, Time now, std::size_t max) {
    TRY(auto statement,
        session.query("SELECT " SATCHEL_MESSAGE_COLUMNS " FROM messages WHERE chat = $1 AND "
                      "ordinal < $2 AND (expires_at IS NULL OR expires_at > $3) "
                      "ORDER BY ordinal DESC LIMIT $4",
                      chat, before, now, max));
    return all_rows(*statement, reader(session));
}

Result<std::vector<MessageRow>> messages_of_thread(Session& session,
                                                   std::int64_t thread,
                                                   std::int64_t beyond,
                                                   Order order,
                                                   Time now,
                                                   std::size_t max) {
    if (order == Order::ascending) {
        TRY(auto statement,
            session.query("SELECT " SATCHEL_MESSAGE_COLUMNS " FROM messages WHERE thread = $1 "
                          "AND ordinal > $2 AND (expires_at IS NULL OR expires_at > $3) "
                          "UNION ALL SELECT " SATCHEL_MESSAGE_COLUMNS
                          " FROM messages WHERE seq = $1 AND ordinal > $2 "
                          "AND (expires_at IS NULL OR expires_at > $3) ORDER BY ordinal LIMIT $4",
                          thread, beyond, now, max));
        return all_rows(*statement, reader(session));
    }
    TRY(auto statement,
        session.query("SELECT " SATCHEL_MESSAGE_COLUMNS " FROM messages WHERE thread = $1 "
                      "AND ordinal < $2 AND (expires_at IS NULL OR expires_at > $3) "
                      "UNION ALL SELECT " SATCHEL_MESSAGE_COLUMNS
                      " FROM messages WHERE seq = $1 AND ordinal < $2 "
                      "AND (expires_at IS NULL OR expires_at > $3) "
                      "ORDER BY ordinal DESC LIMIT $4",
                      thread, beyond, now, max));
    return all_rows(*statement, reader(session));
}

Result<bool> remove_message(Session& session, MessageId id, PartnerId partner, Time now) {
    TRY(auto statement, session.query("DELETE FROM messages WHERE id = $1 AND partner = $2 "
                                      "AND (expires_at IS NULL OR expires_at > $3) RETURNING 1",
                                      id, partner, now));
    return changed(*statement);
}

Result<bool> update_delivery(Session& session, const MessageRow& row) {
    TRY(auto statement,
        session.query("UPDATE messages SET status = $2, updated_at = $3, sent_at = $4, "
                      "delivered_at = $5, read_at = $6 WHERE seq = $1 RETURNING 1",
                      row.seq, to_string(row.status), row.updated_at, row.sent_at, row.delivered_at,
                      row.read_at));
    return changed(*statement);
}

Result<> update_parts(Session& session, const MessageRow& row) {
    return session.run(
        "UPDATE messages SET sealed_parts = $2, edits = $3, updated_at = $4 WHERE seq = $1",
        row.seq, session.texts().seal(parts_field, row.id.bytes(), encode_parts(row.parts)),
        row.edits, row.updated_at);
}

Result<std::size_t> mark_read(Session& session, std::int64_t chat, Time at, std::size_t max) {
    TRY(auto statement,
        session.query("UPDATE messages SET status = 'read', read_at = $2, updated_at = $2 "
                      "WHERE seq IN (SELECT seq FROM messages WHERE chat = $1 AND "
                      "direction = 'inbound' AND read_at IS NULL AND "
                      "(expires_at IS NULL OR expires_at > $2) LIMIT $3) RETURNING 1",
                      chat, at, max));
    std::size_t count = 0;
    for (;; ++count) {
        TRY(const bool found, statement->step());
        if (!found) return count;
    }
}

Result<> mark_queued(Session& session, std::int64_t seq, Time at) {
    return session.run(
        "UPDATE messages SET status = 'queued', updated_at = $2 "
        "WHERE seq = $1 AND status = 'pending'",
        seq, at);
}

Result<std::optional<MessageId>> find_idempotency_key(Session& session,
                                                      PartnerId partner,
                                                      std::string_view key) {
    TRY(auto statement,
        session.query("SELECT message FROM idempotency_keys WHERE partner = $1 AND key = $2",
                      partner, key));
    return first_row(*statement, [](const Statement& row) { return id_at<MessageId>(row, 0); });
}

Result<bool> insert_idempotency_key(Session& session,
                                    PartnerId partner,
                                    std::string_view key,
                                    MessageId message) {
    TRY(auto statement,
        session.query("INSERT INTO idempotency_keys (partner, key, message) VALUES ($1, $2, $3) "
                      "ON CONFLICT DO NOTHING RETURNING 1",
                      partner, key, message));
    return changed(*statement);
}

}  // namespace satchel::meta
