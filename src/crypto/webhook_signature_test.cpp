#include "crypto/webhook_signature.hpp"

#include "base/bytes.hpp"

#include <gtest/gtest.h>

namespace satchel::crypto {
namespace {

constexpr std::string_view secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr WebhookMessage message{.id = "msg_p5jXN8AQM9LWM0D4loKWxJek",
                                 .unix_seconds = 1614265330,
                                 .body = R"({"test": 2432232314})"};

TEST(WebhookSignature, the_standard_scheme_gives_the_published_answer) {
    EXPECT_EQ(standard_webhook_signature(secret, message),
              "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(WebhookSignature, the_legacy_scheme_takes_the_secret_as_text_and_leaves_the_id_out) {
    WebhookMessage other = message;
    other.id = "another";
    const auto signature = legacy_webhook_signature(secret, message);
    EXPECT_EQ(signature, "2e37df5d4a028c51a7f3133d64ae1e300d2c2c900f1b1d49d4369ad2530f8964");
    EXPECT_EQ(legacy_webhook_signature(secret, other), signature);
}

TEST(WebhookSignature, a_secret_of_another_form_is_refused) {
    for (const std::string_view bad :
         {"", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_not base64", "whsec_-_-_"}) {
        EXPECT_FALSE(standard_webhook_signature(bad, message)) << bad;
    }
}

TEST(WebhookSignature, one_right_signature_in_the_list_is_enough) {
    const std::string right = *standard_webhook_signature(secret, message);
    EXPECT_TRUE(verify_standard_webhook(secret, message, right));
    EXPECT_TRUE(verify_standard_webhook(secret, message, "v1,AAAA v2,x " + right));
    EXPECT_FALSE(verify_standard_webhook(secret, message, ""));
    EXPECT_FALSE(verify_standard_webhook(secret, message, right.substr(3)));
    EXPECT_FALSE(verify_standard_webhook(secret, message, right + "="));
    EXPECT_FALSE(verify_standard_webhook("whsec_AAAA", message, right));
    WebhookMessage later = message;
    ++later.unix_seconds;
    EXPECT_FALSE(verify_standard_webhook(secret, later, right));
}

TEST(WebhookSignature, secrets_are_random_and_hold_32_bytes) {
    const std::string one = new_webhook_secret();
    EXPECT_NE(one, new_webhook_secret());
    ASSERT_TRUE(one.starts_with("whsec_"));
    const auto bytes = from_base64(one.substr(6));
    ASSERT_TRUE(bytes);
    EXPECT_EQ(bytes->size(), 32U);
}

}  // namespace
}  // namespace satchel::crypto
