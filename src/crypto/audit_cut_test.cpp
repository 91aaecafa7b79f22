#include "crypto/audit_cut.hpp"

#include <gtest/gtest.h>

namespace satchel::crypto {
namespace {

constexpr Time now{std::chrono::seconds(1'800'000'000)};

AuditPosition position(std::uint64_t seq) {
    AuditPosition out{seq, {}};
    out.hash.fill(std::byte{7});
    return out;
}

TEST(AuditCut, what_was_signed_holds_and_nothing_else_does) {
    const AuditSigner signer(Key::random());
    const AuditSigner other(Key::random());
    const AuditSignature signature = sign_cut(signer, position(5), now);
    EXPECT_TRUE(is_signed_cut(signer.key(), position(5), now, signature));
    EXPECT_FALSE(is_signed_cut(signer.key(), position(6), now, signature));
    EXPECT_FALSE(
        is_signed_cut(signer.key(), position(5), now + std::chrono::seconds(1), signature));
    EXPECT_FALSE(is_signed_cut(other.key(), position(5), now, signature));
    AuditPosition changed = position(5);
    changed.hash[31] = std::byte{8};
    EXPECT_FALSE(is_signed_cut(signer.key(), changed, now, signature));
}

TEST(AuditCut, neither_an_end_nor_a_head_can_be_made_into_a_cut_nor_a_cut_into_an_end) {
    const AuditSigner signer(Key::random());
    const AuditPosition at = position(5);
    EXPECT_FALSE(is_signed_cut(signer.key(), at, now, signer.sign_end(at)));
    EXPECT_FALSE(is_signed_cut(signer.key(), at, now, signer.head(at, now).signature));
    EXPECT_FALSE(is_signed_end(signer.key(), at, sign_cut(signer, at, now)));
}

}  // namespace
}  // namespace satchel::crypto
