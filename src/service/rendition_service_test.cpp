#include "service/rendition_service.hpp"

#include "media/memory_file.hpp"
#include "meta/sqlite.hpp"
#include "tests/support/blobs.hpp"
#include "tests/support/loop_thread.hpp"
#include "tests/support/memory_blob_store.hpp"
#include "tests/support/run.hpp"
#include "tests/support/temp_folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <optional>
#include <stdexcept>
#include <thread>

namespace satchel {
namespace {

using test::run;

// Gives back what it was given, behind a mark; `before` happens meanwhile.
class EchoConverter : public media::Converter {
public:
    Async<media::Product> convert(media::Order order) override {
        ++orders;
        forms.push_back(order.form);
        if (before) before();
        if (error) co_return fail(*error, "scripted");
        Bytes content(*media::size_of(order.input));
        EXPECT_EQ(*media::read_at(order.input, content, 0), content.size());
        content.push_back(std::byte{'!'});
        media::Product product;
        product.bytes = *media::sealed_memory_file("product", content);
        product.content_type = "image/jpeg";
        product.size_bytes = content.size();
        co_return product;
    }

    std::atomic<int> orders{0};
    std::vector<media::Form> forms;
    std::function<void()> before;
    std::optional<Errc> error;
};

struct RenditionServiceTest : testing::Test {
    test::TempFolder folder;
    crypto::KeyRing keys = make_keys();
    Clock clock{Time{std::chrono::seconds(1'800'000'000)}};
    test::MemoryBlobStore blobs;
    std::unique_ptr<meta::Database> database =
        *meta::open_sqlite({.file = folder / "meta.db", .keys = &keys});
    EchoConverter converter;
    const Bytes content = test::sample_bytes(300'000);
    const crypto::Key key = crypto::Key::random();
    const meta::AttachmentRow source = store_attachment();
    test::LoopThread loop;  // Ends first.
    RenditionService service{{loop.loop(), *database, blobs, keys, clock, converter}};

    crypto::KeyRing make_keys() {
        EXPECT_TRUE(crypto::KeyRing::create(folder / "master.key"));
        return *crypto::KeyRing::open(folder / "master.key");
    }
    meta::AttachmentRow store_attachment() {
        meta::AttachmentRow row;
        row.id = AttachmentId::random();
        row.partner = PartnerId::random();
        crypto::WrappedKey wrapped = keys.wrap(row.id, key);
        row.wrapped_key = std::move(wrapped.bytes);
        row.key_version = wrapped.version;
        row.content_type = "image/tiff";
        row.size_bytes = content.size();
        row.state = AttachmentState::complete;
        row.blob = BlobId::random();
        EXPECT_TRUE(
            run(test::store_blob(blobs, *row.blob, crypto::blob_key(key, *row.blob), content)));
        EXPECT_TRUE(run(database->write(
            [row](meta::Session& session) { return meta::insert_attachment(session, row); })));
        return row;
    }
    void remove_attachment() {
        const meta::AuditEntry entry{clock.now(), source.partner, source.id, "delete", "key:7"};
        EXPECT_TRUE(run(database->write(
            [entry](meta::Session& session) { return meta::remove_attachment(session, entry); })));
    }
    Result<meta::RenditionRow> get(WantedForm wanted = {}) {
        return run(service.get(source, wanted));
    }
    std::size_t stored() { return run(blobs.list())->blobs.size(); }
};

TEST_F(RenditionServiceTest, a_form_is_made_once_and_holds_what_the_converter_made) {
    const auto first = get();
    ASSERT_TRUE(first);
    EXPECT_EQ(first->content_type, "image/jpeg");
    Bytes expected = content;
    expected.push_back(std::byte{'!'});
    EXPECT_TRUE(test::holds(blobs, first->blob, crypto::blob_key(key, first->blob), expected));
    EXPECT_EQ(get()->blob, first->blob);
    EXPECT_EQ(converter.orders, 1);
    const std::vector<BlobId> unconfirmed = *run(blobs.unconfirmed());
    EXPECT_EQ(std::ranges::find(unconfirmed, first->blob), unconfirmed.end());
}

TEST_F(RenditionServiceTest, who_asks_for_the_same_meanwhile_waits_for_it) {
    std::atomic<bool> begun = false;
    std::atomic<bool> may_end = false;
    converter.before = [&] {
        begun = true;
        begun.notify_all();
        may_end.wait(false);
    };
    std::vector<Result<meta::RenditionRow>> results(4);
    std::vector<std::thread> others;
    for (auto& result : results) others.emplace_back([&] { result = get(); });
    begun.wait(false);
    may_end = true;
    may_end.notify_all();
    for (std::thread& other : others) other.join();
    for (const auto& result : results) {
        ASSERT_TRUE(result);
        EXPECT_EQ(result->blob, results.front()->blob);
    }
    EXPECT_EQ(converter.orders, 1);
}

TEST_F(RenditionServiceTest, each_width_is_one_of_its_own) {
    const auto small = get({.form = media::Form::preview, .width = 100});
    const auto large = get({.form = media::Form::preview, .width = 200});
    ASSERT_TRUE(small && large);
    EXPECT_NE(small->blob, large->blob);
}

TEST_F(RenditionServiceTest, what_is_converted_is_stripped_too_when_asked_for) {
    const auto row = get({.form = media::Form::jpeg, .without_metadata = true});
    ASSERT_TRUE(row);
    EXPECT_EQ(row->form, "jpeg-stripped");
    EXPECT_EQ(converter.forms, (std::vector{media::Form::jpeg, media::Form::stripped}));
}

TEST_F(RenditionServiceTest, of_an_attachment_that_is_deleted_meanwhile_nothing_stays) {
    converter.before = [this] { remove_attachment(); };
    const std::size_t before = stored();
    EXPECT_EQ(get().error().code, Errc::not_found);
    EXPECT_EQ(stored(), before);
}

TEST_F(RenditionServiceTest, a_failure_is_told_and_the_next_call_tries_again) {
    converter.error = Errc::corrupt;
    EXPECT_EQ(get().error().code, Errc::corrupt);
    converter.error.reset();
    EXPECT_TRUE(get());
}

TEST_F(RenditionServiceTest, one_that_broke_off_keeps_nobody_waiting) {
    converter.before = [] { throw std::runtime_error("scripted"); };
    EXPECT_THROW(ignore(get(), "it throws"), std::runtime_error);
    converter.before = nullptr;
    EXPECT_TRUE(get());
}

}  // namespace
}  // namespace satchel
