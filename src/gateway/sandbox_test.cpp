#include "gateway/sandbox.hpp"

#include "tests/support/run.hpp"

#include <gtest/gtest.h>

namespace satchel::gateway {
namespace {

struct SandboxTest : testing::Test {
    Clock clock{Time{std::chrono::seconds(1'800'000'000)}};
    Sandbox sandbox{clock};

    static ChatHandle participant(std::string handle) {
        ChatHandle out;
        out.id = HandleId::random();
        out.handle = std::move(handle);
        return out;
    }

    Outcome send_to(const std::vector<std::string>& recipients,
                    Service service = Service::imessage) {
        Chat chat;
        chat.handles.push_back(participant("+15550100001"));
        chat.handles.front().is_me = true;
        for (const auto& each : recipients) chat.handles.push_back(participant(each));
        Message message;
        message.created_at = clock.now();
        message.service = service;
        return *test::run(sandbox.submit(chat, message));
    }
};

TEST_F(SandboxTest, an_ordinary_recipient_gets_the_message_and_does_not_read_it) {
    const Outcome outcome = send_to({"+15551234567"});
    EXPECT_EQ(outcome.sent_at, clock.now());
    EXPECT_EQ(outcome.delivered_at, clock.now());
    EXPECT_EQ(outcome.read_at, std::nullopt);
    EXPECT_FALSE(outcome.has_failed());
}

TEST_F(SandboxTest, sms_has_no_receipts_and_rcs_none_for_reading) {
    const Outcome sms = send_to({"+15551230777"}, Service::sms);
    EXPECT_TRUE(sms.sent_at);
    EXPECT_FALSE(sms.delivered_at);
    EXPECT_FALSE(sms.read_at);
    const Outcome rcs = send_to({"+15551230777"}, Service::rcs);
    EXPECT_TRUE(rcs.delivered_at);
    EXPECT_FALSE(rcs.read_at);
}

TEST_F(SandboxTest, the_last_digits_choose_another_fate) {
    EXPECT_TRUE(send_to({"+15551230777"}).read_at);
    EXPECT_EQ(send_to({"+15551230401"}).failure_code, 4001);
    EXPECT_EQ(send_to({"+15551230405"}).failure_code, 4005);
    const Outcome waiting = send_to({"+15551230499"});
    EXPECT_FALSE(waiting.sent_at);
    EXPECT_FALSE(waiting.has_failed());
}

TEST_F(SandboxTest, a_group_meets_the_fate_of_its_first_unlucky_recipient) {
    EXPECT_EQ(send_to({"+15551234567", "+15551230405", "+15551230401"}).failure_code, 4005);
}

}  // namespace
}  // namespace satchel::gateway
