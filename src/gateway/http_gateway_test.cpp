#include "gateway/http_gateway.hpp"

#include "base/limits.hpp"
#include "crypto/webhook_signature.hpp"
#include "tests/support/run.hpp"
#include "tests/support/scripted_fetcher.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <algorithm>

namespace satchel::gateway {
namespace {

using Answer = test::ScriptedFetcher::Answer;

ChatHandle participant(std::string handle, bool is_me = false) {
    ChatHandle out;
    out.id = HandleId::random();
    out.handle = std::move(handle);
    out.is_me = is_me;
    return out;
}

struct HttpGatewayTest : testing::Test {
    Clock clock{Time{std::chrono::seconds(1'800'000'000)}};
    test::ScriptedFetcher fetcher;
    const std::string secret = crypto::new_webhook_secret();
    HttpGateway gateway{{fetcher, clock, "https://bridge.test/messages", secret}};
    Chat chat;
    Message message;

    HttpGatewayTest() {
        chat.id = ChatId::random();
        chat.line = "+15550100001";
        chat.handles = {participant(chat.line, true), participant("+15551234567")};
        message.id = MessageId::random();
        message.created_at = clock.now();
        message.parts = {TextPart{"hi", {{0, 2, "bold", ""}}}};
    }

    Result<Outcome> submit(Answer answer) {
        fetcher.set_script([answer](const fetch::PostRequest&) { return answer; });
        return test::run(gateway.submit(chat, message));
    }
    static std::string header(const fetch::PostRequest& request, std::string_view name) {
        const auto found =
            std::ranges::find(request.headers, name, &std::pair<std::string, std::string>::first);
        return found == request.headers.end() ? "absent" : found->second;
    }
    boost::json::object posted() {
        return boost::json::parse(fetcher.posts().back().body).get_object();
    }
};

TEST_F(HttpGatewayTest, the_bridge_gets_the_message_under_its_id_and_signed) {
    ASSERT_TRUE(submit({}));
    const fetch::PostRequest request = fetcher.posts().front();
    EXPECT_EQ(request.url, "https://bridge.test/messages");
    const std::string id = message.id.str();
    EXPECT_EQ(header(request, "webhook-id"), id);
    const auto seconds = parse_u64(header(request, "webhook-timestamp"));
    ASSERT_TRUE(seconds);
    EXPECT_TRUE(crypto::verify_standard_webhook(
        secret,
        {.id = id, .unix_seconds = static_cast<std::int64_t>(*seconds), .body = request.body},
        header(request, "webhook-signature")));
    const auto body = posted();
    EXPECT_EQ(body.at("message_id"), id.c_str());
    EXPECT_EQ(body.at("chat").at("line"), "+15550100001");
    EXPECT_EQ(body.at("chat").at("recipients"), boost::json::array{"+15551234567"});
}

TEST_F(HttpGatewayTest, parts_come_in_order_and_a_lost_file_keeps_its_place) {
    Media photo;
    photo.id = AttachmentId::random();
    photo.filename = "a \"b\".jpg";
    photo.mime_type = "image/jpeg";
    photo.size_bytes = 3;
    photo.url = "https://cdn.test/signed";
    message.parts.emplace_back(MediaPart{photo});
    message.parts.emplace_back(MediaPart{});
    message.effect = Effect{EffectType::screen, "confetti"};
    message.reply_to = ReplyTo{MessageId::random(), 2};
    message.preferred_service = Service::sms;
    ASSERT_TRUE(submit({}));
    const auto body = posted();
    const auto& parts = body.at("parts").as_array();
    ASSERT_EQ(parts.size(), 3U);
    EXPECT_EQ(boost::json::serialize(parts[0].at("text_decorations")),
              R"([{"range":[0,2],"style":"bold"}])");
    EXPECT_EQ(parts[1].at("url"), "https://cdn.test/signed");
    EXPECT_EQ(parts[1].at("filename"), "a \"b\".jpg");
    EXPECT_EQ(parts[1].at("size_bytes"), 3);
    EXPECT_EQ(parts[2].at("type"), "media");
    EXPECT_TRUE(parts[2].at("id").is_null());
    EXPECT_EQ(body.at("effect").at("name"), "confetti");
    EXPECT_EQ(body.at("reply_to").at("part_index"), 2);
    EXPECT_EQ(body.at("preferred_service"), "SMS");
}

TEST_F(HttpGatewayTest, an_accepted_message_waits_for_reports_unless_the_answer_says_more) {
    for (const char* body : {"", "ok", "[]", "{}", R"({"status":"queued"})", R"({"status":7})"}) {
        const auto outcome = submit({.status = 202, .body = body});
        ASSERT_TRUE(outcome) << body;
        EXPECT_FALSE(outcome->sent_at) << body;
        EXPECT_FALSE(outcome->has_failed()) << body;
    }
    const auto delivered = submit({.body = R"({"status":"delivered"})"});
    EXPECT_EQ(delivered->sent_at, clock.now());
    EXPECT_EQ(delivered->delivered_at, clock.now());
    EXPECT_FALSE(delivered->read_at);
    const auto failed = submit({.body = R"({"status":"failed","code":4005,"reason":"no MMS"})"});
    EXPECT_EQ(failed->failure_code, 4005);
    EXPECT_EQ(failed->failure_reason, "no MMS");
}

TEST_F(HttpGatewayTest, a_refusal_is_final_and_an_outage_is_not) {
    for (const int status : {400, 401, 403, 404, 409, 410, 413, 422}) {
        const auto outcome = submit({.status = status, .body = R"({"reason":"unknown number"})"});
        ASSERT_TRUE(outcome) << status;
        EXPECT_EQ(outcome->failure_code, 4001) << status;
        EXPECT_EQ(outcome->failure_reason, "unknown number") << status;
    }
    for (const int status : {301, 302, 408, 429, 500, 502, 503}) {
        const auto outcome = submit({.status = status});
        ASSERT_FALSE(outcome) << status;
        EXPECT_EQ(outcome.error().code, Errc::unavailable) << status;
    }
    EXPECT_EQ(submit({.failure = fetch::Failure::unreachable}).error().code, Errc::unavailable);
    EXPECT_EQ(submit({.failure = fetch::Failure::timed_out}).error().code, Errc::unavailable);
}

TEST_F(HttpGatewayTest, a_code_that_subscribers_do_not_know_becomes_one_they_do) {
    const auto outcome = submit({.status = 400, .body = R"({"code":5000})"});
    EXPECT_EQ(outcome->failure_code, 4001);
    EXPECT_EQ(outcome->failure_reason, "The carrier refused the message");
}

TEST(FailureReason, is_cut_at_the_end_of_a_character) {
    std::string text(limits::failure_reason_bytes_max - 1, 'x');
    text += "\xc3\xa9";
    EXPECT_EQ(failure_reason_of(text).size(), limits::failure_reason_bytes_max - 1);
    EXPECT_EQ(failure_reason_of("short"), "short");
}

}  // namespace
}  // namespace satchel::gateway
