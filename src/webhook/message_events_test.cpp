#include "webhook/message_events.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <set>

namespace satchel::webhook {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr Time noon{1'770'120'000s};
constexpr std::string_view trace = "8af9171a45022df2eb74ba4e4c83be0f";

ChatHandle handle(std::string text, bool is_me) {
    return {.id = HandleId::random(),
            .handle = std::move(text),
            .is_me = is_me,
            .joined_at = noon - 1h};
}

Chat chat() {
    return {.id = ChatId::random(),
            .partner = PartnerId::random(),
            .line = "+12025551234",
            .display_name = "+12025559876",
            .handles = {handle("+12025551234", true), handle("+12025559876", false)},
            .health_updated_at = noon - 1h,
            .created_at = noon - 1h,
            .updated_at = noon - 1min};
}

Media photo() {
    return {.id = AttachmentId::random(),
            .filename = "photo \"1\".jpg",
            .mime_type = "image/jpeg",
            .size_bytes = 245'678,
            .url = "https://cdn.example/attachments/partners/p1/x/photo.jpg"};
}

MessageEvent event_of(MessageEventKind kind) {
    MessageEvent event{.kind = kind, .chat = chat(), .at = noon + 10s};
    Message& message = event.message;
    const bool is_inbound = kind == MessageEventKind::received;
    message.id = MessageId::random();
    message.chat = event.chat.id;
    message.direction = is_inbound ? Direction::inbound : Direction::outbound;
    message.sender = event.chat.handles[is_inbound ? 1 : 0];
    message.parts = {TextPart{.value = "Hello \xf0\x9f\x98\x80"}, MediaPart{.media = photo()}};
    message.created_at = noon;
    message.updated_at = noon + 10s;
    message.sent_at = noon + 1s;
    message.delivered_at = noon + 2s;
    message.read_at = noon + 3s;
    return event;
}

json::object parsed(const std::string& text) {
    return json::parse(text).as_object();
}

std::set<std::string> keys_of(const json::value& object) {
    std::set<std::string> keys;
    for (const auto& member : object.as_object()) keys.emplace(member.key());
    return keys;
}

std::string text(const json::value& value) {
    return value.is_null() ? "null" : std::string(value.as_string());
}

TEST(MessageEvents, the_event_is_about_the_chat_s_line_and_in_its_order) {
    const MessageEvent sent = event_of(MessageEventKind::sent);
    const Event event = message_event(sent, trace);
    EXPECT_EQ(event.type, "message.sent");
    EXPECT_EQ(event.partner, sent.chat.partner);
    EXPECT_EQ(event.phone_number, "+12025551234");
    EXPECT_EQ(event.at, sent.at);
    EXPECT_EQ(event.trace_id, trace);
    EXPECT_EQ(event.order_key, sent.chat.id.str());
}

TEST(MessageEvents, version_2026_02_03_has_the_members_of_the_contract_and_no_others) {
    for (const auto kind : {MessageEventKind::sent, MessageEventKind::received,
                            MessageEventKind::delivered, MessageEventKind::read}) {
        const MessageEvent event = event_of(kind);
        const auto data = parsed(message_event(event, trace).data_2026_02_03);
        EXPECT_EQ(keys_of(data),
                  (std::set<std::string>{"id", "chat", "direction", "parts", "sender_handle",
                                         "service", "sent_at", "delivered_at", "read_at", "effect",
                                         "reply_to", "idempotency_key", "preferred_service"}));
        EXPECT_EQ(keys_of(data.at("chat")),
                  (std::set<std::string>{"id", "health_status", "is_group", "owner_handle"}));
        EXPECT_EQ(keys_of(data.at("chat").at("health_status")),
                  (std::set<std::string>{"status", "doc_url", "updated_at"}));
        EXPECT_EQ(keys_of(data.at("sender_handle")),
                  (std::set<std::string>{"id", "handle", "is_me", "service", "status", "joined_at",
                                         "left_at"}));
        EXPECT_TRUE(data.at("chat").at("owner_handle").at("is_me").as_bool());
        const bool is_inbound = kind == MessageEventKind::received;
        EXPECT_EQ(text(data.at("direction")), is_inbound ? "inbound" : "outbound");
        EXPECT_EQ(data.at("sender_handle").at("is_me").as_bool(), !is_inbound);
        EXPECT_EQ(text(data.at("service")), "iMessage");
        const auto& media = data.at("parts").at(1);
        EXPECT_EQ(keys_of(media), (std::set<std::string>{"type", "id", "url", "filename",
                                                         "mime_type", "size_bytes"}));
        EXPECT_EQ(text(media.at("filename")), "photo \"1\".jpg");
        EXPECT_EQ(media.at("size_bytes"), 245'678);
    }
}

TEST(MessageEvents, an_event_tells_only_the_times_that_it_is_about) {
    struct Case {
        MessageEventKind kind;
        std::string delivered;
        std::string read;
    };
    const std::string delivered = to_rfc3339(noon + 2s);
    for (const Case& c : {Case{MessageEventKind::sent, "null", "null"},
                          Case{MessageEventKind::received, "null", "null"},
                          Case{MessageEventKind::delivered, delivered, "null"},
                          Case{MessageEventKind::read, delivered, to_rfc3339(noon + 3s)}}) {
        const Event event = message_event(event_of(c.kind), trace);
        const auto newer = parsed(event.data_2026_02_03);
        EXPECT_EQ(text(newer.at("sent_at")), to_rfc3339(noon + 1s));
        EXPECT_EQ(text(newer.at("delivered_at")), c.delivered);
        EXPECT_EQ(text(newer.at("read_at")), c.read);
        const auto older = parsed(event.data_2025_01_01);
        const auto& message = older.at("message");
        EXPECT_EQ(text(message.at("delivered_at")), c.delivered);
        EXPECT_EQ(text(message.at("read_at")), c.read);
        EXPECT_EQ(message.at("is_delivered").as_bool(), c.delivered != "null");
        EXPECT_EQ(message.at("is_read").as_bool(), c.read != "null");
    }
}

TEST(MessageEvents, version_2025_01_01_differs_by_event_as_the_contract_says) {
    const std::set<std::string> common{
        "chat_id",     "is_group",         "service",         "from",
        "from_handle", "is_from_me",       "idempotency_key", "preferred_service",
        "received_at", "recipient_handle", "recipient_phone", "message"};
    const auto with = [&common](std::set<std::string> more) {
        more.insert(common.begin(), common.end());
        return more;
    };
    const auto data = [](MessageEventKind kind) {
        return parsed(message_event(event_of(kind), trace).data_2025_01_01);
    };
    const auto sent = data(MessageEventKind::sent);
    EXPECT_EQ(keys_of(sent), common);
    EXPECT_EQ(text(sent.at("from")), "+12025551234");
    EXPECT_TRUE(sent.at("is_from_me").as_bool());
    EXPECT_TRUE(sent.at("received_at").is_null());
    EXPECT_TRUE(sent.at("recipient_handle").is_null());
    const auto received = data(MessageEventKind::received);
    EXPECT_EQ(keys_of(received), common);
    EXPECT_EQ(text(received.at("from")), "+12025559876");
    EXPECT_FALSE(received.at("is_from_me").as_bool());
    EXPECT_EQ(received.at("received_at"), received.at("message").at("sent_at"));
    EXPECT_EQ(text(received.at("recipient_handle").at("handle")), "+12025551234");
    EXPECT_TRUE(received.at("recipient_phone").is_null());
    EXPECT_EQ(keys_of(data(MessageEventKind::delivered)), with({"message_id", "delivered_at"}));
    EXPECT_EQ(keys_of(data(MessageEventKind::read)), with({"message_id", "read_at"}));
}

TEST(MessageEvents, what_a_message_has_besides_is_told_in_both_versions) {
    MessageEvent event = event_of(MessageEventKind::sent);
    event.message.idempotency_key = "key \n 1";
    event.message.preferred_service = Service::sms;
    event.message.effect = Effect{.type = EffectType::bubble, .name = "slam"};
    event.message.reply_to = ReplyTo{.message = MessageId::random(), .part_index = 2};
    event.message.parts = {
        TextPart{.value = "bold", .decorations = {{.begin = 0, .end = 4, .style = "bold"}}}};
    const Event out = message_event(event, trace);
    const auto newer = parsed(out.data_2026_02_03);
    const auto older = parsed(out.data_2025_01_01);
    for (const auto& data : {newer, older}) {
        EXPECT_EQ(text(data.at("idempotency_key")), "key \n 1");
        EXPECT_EQ(text(data.at("preferred_service")), "SMS");
    }
    for (const json::object& message : {newer, older.at("message").as_object()}) {
        EXPECT_EQ(json::serialize(message.at("effect")), R"({"type":"bubble","name":"slam"})");
        EXPECT_EQ(message.at("reply_to").at("part_index"), 2);
        EXPECT_EQ(json::serialize(message.at("parts")),
                  R"([{"type":"text","value":"bold","text_decorations":)"
                  R"([{"range":[0,4],"style":"bold"}]}])");
    }
}

TEST(MessageEvents, a_part_whose_attachment_is_gone_keeps_its_place) {
    MessageEvent event = event_of(MessageEventKind::received);
    event.message.parts = {MediaPart{}, LinkPart{.value = "https://a.example/"}};
    const auto data = parsed(message_event(event, trace).data_2026_02_03);
    EXPECT_EQ(json::serialize(data.at("parts")),
              R"([{"type":"media","id":null,"url":null,"filename":null,"mime_type":null,)"
              R"("size_bytes":null},{"type":"link","value":"https://a.example/"}])");
}

TEST(MessageEvents, a_failure_has_its_code_and_no_parts_in_either_version) {
    MessageEvent event = event_of(MessageEventKind::failed);
    event.failure_code = 4001;
    event.failure_reason = "Delivery failed";
    const Event out = message_event(event, trace);
    EXPECT_EQ(out.type, "message.failed");
    EXPECT_EQ(out.data_2025_01_01, out.data_2026_02_03);
    const auto data = parsed(out.data_2026_02_03);
    EXPECT_EQ(keys_of(data),
              (std::set<std::string>{"code", "failed_at", "chat_id", "message_id", "reason",
                                     "detail_code", "preferred_service", "service"}));
    EXPECT_EQ(data.at("code"), 4001);
    EXPECT_EQ(text(data.at("failed_at")), to_rfc3339(noon + 10s));
    EXPECT_EQ(text(data.at("message_id")), event.message.id.str());
}

TEST(MessageEvents, an_edit_is_told_in_version_2026_02_03_alone) {
    const MessageEvent sent = event_of(MessageEventKind::sent);
    const Event out = message_edited(sent.chat, sent.message, 0, noon, trace);
    EXPECT_EQ(out.data_2025_01_01, "");
    const auto data = parsed(out.data_2026_02_03);
    EXPECT_EQ(keys_of(data), (std::set<std::string>{"id", "chat", "direction", "edited_at", "part",
                                                    "sender_handle"}));
    EXPECT_EQ(data.at("part").at("index"), 0);
    EXPECT_EQ(text(data.at("part").at("text")), "Hello \xf0\x9f\x98\x80");
}

TEST(MessageEvents, a_new_chat_is_told_without_is_archived) {
    const auto data = parsed(chat_created(chat(), trace).data_2026_02_03);
    EXPECT_EQ(keys_of(data),
              (std::set<std::string>{"id", "display_name", "handles", "health_status", "is_group",
                                     "service", "group_chat_icon", "created_at", "updated_at"}));
    EXPECT_EQ(data.at("handles").as_array().size(), 2U);
}

}  // namespace
}  // namespace satchel::webhook
