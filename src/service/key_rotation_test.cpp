#include "service/key_rotation.hpp"

#include "base/limits.hpp"
#include "crypto/key_file.hpp"
#include "meta/attachments.hpp"
#include "meta/partners.hpp"
#include "meta/sqlite.hpp"
#include "meta/webhook_subscriptions.hpp"
#include "model/api_errors.hpp"
#include "tests/support/loop_thread.hpp"
#include "tests/support/run.hpp"
#include "tests/support/temp_folder.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <thread>

namespace satchel {
namespace {

using namespace std::chrono_literals;
using crypto::Key;

// A command's part: what it prints is set by the test.
class PrintedKeys final : public crypto::KeySource {
public:
    std::vector<crypto::MasterKey> keys;
    std::optional<Error> failure;

    std::string name() const override { return "the command"; }
    Result<crypto::KeyRing> read() override {
        if (failure) return std::unexpected(*failure);
        return crypto::KeyRing(keys, name());
    }
    bool is_writable() const override { return false; }
    Result<> add(const crypto::MasterKey&) override { return fail(Errc::internal, "asked to add"); }
    Result<> remove(std::uint32_t) override { return fail(Errc::internal, "asked to remove"); }
};

struct KeyRotationTest : testing::Test {
    test::TempFolder folder;
    crypto::KeyFile file{folder / "master.key"};
    crypto::KeyRing keys = make_keys();
    Clock clock{Time{std::chrono::seconds(1'800'000'000)}};
    std::unique_ptr<meta::Database> database =
        *meta::open_sqlite({.file = folder / "meta.db", .keys = &keys});
    const webhook::SecretBox secrets{Key::random(),
                                     keys.former_secrets(webhook::SecretBox::purpose)};
    BlockingPool pool{2};
    test::LoopThread thread;
    std::map<std::string, Key> stored;
    std::optional<KeyRotation> rotation;
    std::future<void> running;

    crypto::KeyRing make_keys() {
        EXPECT_TRUE(file.create());
        return *file.read();
    }
    static std::string content_of(const std::filesystem::path& from) {
        std::ifstream in(from, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    void make(crypto::KeySource& source) {
        rotation.emplace(
            KeyRotation::Parts{thread.loop(), *database, keys, source, secrets, pool, clock});
    }
    void start() { running = asio::co_spawn(thread.loop(), rotation->run(), asio::use_future); }
    void stop() {
        asio::post(thread.loop(), [this] { rotation->stop(); });
        ASSERT_EQ(running.wait_for(30s), std::future_status::ready);
    }
    void TearDown() override {
        if (running.valid()) stop();
        pool.join();
    }
    template <class T>
    Result<T> on_loop(Async<T> work) {
        return asio::co_spawn(thread.loop(), std::move(work), asio::use_future).get();
    }
    template <class Work>
    auto write(Work work) {
        return test::run(database->write(std::move(work), meta::Erases::no));
    }
    void insert(int count) {
        std::vector<meta::AttachmentRow> rows;
        for (int i = 0; i < count; ++i) {
            meta::AttachmentRow row;
            row.id = AttachmentId::random();
            row.partner = PartnerId::random();
            const Key key = Key::random();
            crypto::WrappedKey wrapped = keys.wrap(row.id, key);
            row.wrapped_key = std::move(wrapped.bytes);
            row.key_version = wrapped.version;
            stored.emplace(row.id.str(), key);
            rows.push_back(std::move(row));
        }
        EXPECT_TRUE(write([&rows](meta::Session& session) -> Result<> {
            for (const auto& row : rows) CHECK(meta::insert_attachment(session, row));
            return {};
        }));
    }
    void await_the_end() {
        const auto deadline = std::chrono::steady_clock::now() + 60s;
        while (rotation->progress().is_running && rotation->progress().damaged == 0) {
            ASSERT_LT(std::chrono::steady_clock::now(), deadline);
            std::this_thread::yield();
        }
    }
    // That each opens to its key, under `version` alone.
    void expect_all_under(std::uint32_t version) {
        const auto rows = *test::run(database->read([](meta::Session& session) {
            return meta::attachments_after(session, AttachmentId{}, 100'000);
        }));
        EXPECT_EQ(rows.size(), stored.size());
        for (const meta::AttachmentRow& row : rows) {
            EXPECT_EQ(row.key_version, version);
            const auto key = keys.unwrap(row.id, row.key_version, row.wrapped_key);
            ASSERT_TRUE(key);
            EXPECT_EQ(key->bytes, stored.at(row.id.str()).bytes);
        }
    }
};

TEST_F(KeyRotationTest, rotating_wraps_every_key_again_and_the_old_version_can_go) {
    make(file);
    insert(3 * static_cast<int>(limits::rewrap_batch_max) + 7);
    start();
    EXPECT_EQ(*on_loop(rotation->rotate()), 2U);
    EXPECT_EQ(keys.version(), 2U);
    await_the_end();
    expect_all_under(2);
    EXPECT_EQ(rotation->progress().rewrapped, stored.size());
    EXPECT_EQ(rotation->progress().remaining, 0U);
    EXPECT_EQ(*on_loop(rotation->retire(1)), true);
    EXPECT_FALSE(file.read()->check(1));
    EXPECT_TRUE(file.read()->check(2));
    const auto listed = *on_loop(rotation->list());
    ASSERT_EQ(listed.size(), 2U);
    EXPECT_TRUE(listed[0].row.retired_at);
    EXPECT_EQ(listed[0].attachments, 0U);
    EXPECT_TRUE(listed[1].is_in_use);
    EXPECT_EQ(listed[1].attachments, stored.size());
}

TEST_F(KeyRotationTest, two_in_a_row_leave_all_under_the_last) {
    make(file);
    insert(1500);
    start();
    EXPECT_EQ(*on_loop(rotation->rotate()), 2U);
    EXPECT_EQ(*on_loop(rotation->rotate()), 3U);
    insert(3);
    await_the_end();
    expect_all_under(3);
}

TEST_F(KeyRotationTest, another_start_goes_on_where_one_ended) {
    make(file);
    insert(2000);
    EXPECT_EQ(*on_loop(rotation->rotate()), 2U);
    EXPECT_TRUE(rotation->progress().is_running);
    make(file);  // As after a restart; nothing was re-wrapped before it.
    start();
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (rotation->progress().rewrapped < stored.size()) {
        ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    }
    await_the_end();
    expect_all_under(2);
}

TEST_F(KeyRotationTest, what_cannot_be_unwrapped_stays_and_keeps_its_version_needed) {
    make(file);
    insert(20);
    ASSERT_TRUE(write([](meta::Session& session) {
        return session.run("UPDATE attachment_keys SET sealed = zeroblob(64) WHERE slot = 5");
    }));
    start();
    ASSERT_TRUE(on_loop(rotation->rotate()));
    await_the_end();
    EXPECT_EQ(rotation->progress().damaged, 1U);
    EXPECT_EQ(rotation->progress().rewrapped, 19U);
    const auto retired = on_loop(rotation->retire(1));
    ASSERT_FALSE(retired);
    EXPECT_EQ(retired.error().reason, &reasons::state_conflict);
    EXPECT_TRUE(file.read()->check(1));
}

TEST_F(KeyRotationTest, a_command_must_print_a_newer_version) {
    PrintedKeys printed;
    printed.failure = Error{Errc::timed_out, nullptr, "the command hangs", "the command hangs"};
    make(printed);
    const auto failed = on_loop(rotation->rotate());
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().message, "the command hangs");
    EXPECT_EQ(failed.error().reason, &reasons::state_conflict);

    printed.failure.reset();
    const auto in_use = *crypto::parse_master_keys(content_of(folder / "master.key"));
    printed.keys = in_use;
    const auto none = on_loop(rotation->rotate());
    ASSERT_FALSE(none);
    EXPECT_NE(none.error().message.find("no version after 1"), std::string::npos);

    const crypto::MasterKey other{.version = 1, .key = Key::random()};
    const crypto::MasterKey newer{.version = 2, .key = Key::random()};
    for (const auto& wrong : {std::vector{newer}, std::vector{other, newer}}) {
        printed.keys = wrong;
        const auto refused = on_loop(rotation->rotate());
        ASSERT_FALSE(refused);
        EXPECT_NE(refused.error().message.find("does not have version 1"), std::string::npos);
        EXPECT_EQ(keys.version(), 1U);
    }
    printed.keys = {in_use.front(), newer};
    EXPECT_EQ(*on_loop(rotation->rotate()), 2U);
}

TEST_F(KeyRotationTest, a_version_that_the_file_has_already_is_taken) {
    make(file);
    insert(10);
    ASSERT_TRUE(file.add({.version = 6, .key = Key::random()}));
    start();
    EXPECT_EQ(*on_loop(rotation->rotate()), 6U);
    await_the_end();
    expect_all_under(6);
    EXPECT_EQ(file.read()->versions().size(), 2U);
}

TEST_F(KeyRotationTest, secrets_of_webhooks_move_to_the_database_s_own_key) {
    make(file);
    const webhook::SecretBox before(keys.former_secrets(webhook::SecretBox::purpose).front());
    meta::SubscriptionRow row;
    row.subscription.id = SubscriptionId::random();
    row.subscription.partner = PartnerId::random();
    row.subscription.target_url = "https://a.example/";
    row.sealed_secret = before.seal(row.subscription.id, "whsec_one");
    ASSERT_TRUE(write([row](meta::Session& s) { return meta::insert_subscription(s, row); }));
    EXPECT_EQ(*secrets.open(row.subscription.id, row.sealed_secret), "whsec_one");
    start();
    ASSERT_TRUE(on_loop(rotation->rotate()));
    await_the_end();
    const auto found = *test::run(database->read(
        [](meta::Session& session) { return meta::sealed_secrets_after(session, 0, 10); }));
    ASSERT_EQ(found.size(), 1U);
    EXPECT_NE(found[0].sealed, row.sealed_secret);
    EXPECT_EQ(*secrets.open(row.subscription.id, found[0].sealed), "whsec_one");
    EXPECT_FALSE(before.open(row.subscription.id, found[0].sealed));
}

}  // namespace
}  // namespace satchel
