#include "model/attachment.hpp"

#include <gtest/gtest.h>

namespace satchel {
namespace {

using namespace std::chrono_literals;

TEST(AttachmentTest, states_and_tiers_have_the_names_that_clients_see) {
    EXPECT_EQ(to_string(AttachmentState::pending), "pending");
    EXPECT_EQ(to_string(AttachmentState::complete), "complete");
    EXPECT_EQ(to_string(AttachmentState::failed), "failed");
    EXPECT_EQ(to_string(Tier::persistent), "persistent");
    EXPECT_EQ(to_string(Tier::ephemeral), "ephemeral");
}

TEST(AttachmentTest, a_pending_upload_has_failed_once_its_window_is_over) {
    Attachment attachment;
    attachment.upload_expires_at = Time{} + 15min;
    EXPECT_EQ(state_at(attachment, Time{}), AttachmentState::pending);
    EXPECT_EQ(state_at(attachment, Time{} + 15min - 1us), AttachmentState::pending);
    EXPECT_EQ(state_at(attachment, Time{} + 15min), AttachmentState::failed);
}

TEST(AttachmentTest, what_is_stored_stays_complete) {
    Attachment attachment;
    attachment.state = AttachmentState::complete;
    attachment.upload_expires_at = Time{} + 15min;
    EXPECT_EQ(state_at(attachment, Time{} + 24h), AttachmentState::complete);
}

}  // namespace
}  // namespace satchel
