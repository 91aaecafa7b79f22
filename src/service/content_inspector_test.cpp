#include "service/content_inspector.hpp"

#include "base/log.hpp"
#include "model/api_errors.hpp"
#include "tests/support/blobs.hpp"
#include "tests/support/memory_blob_store.hpp"
#include "tests/support/project_file.hpp"
#include "tests/support/run.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace satchel {
namespace {

using test::run;

// Reads all of the content, as a scanner does, then says what it was told to say.
class ScriptedScanner final : public media::Scanner {
public:
    Async<std::optional<std::string>> scan(media::Content& content) override {
        Bytes all(content.size());
        CO_TRY(const std::size_t got, co_await content.read_at(0, all));
        seen.assign(as_text(ByteView(all).first(got)));
        if (error) co_return fail(*error, "scripted");
        co_return infection;
    }

    std::optional<std::string> infection;
    std::optional<Errc> error;
    std::string seen;
};

class ContentInspectorTest : public testing::Test {
protected:
    void SetUp() override { log::set_level(log::Level::off); }
    void TearDown() override { log::set_level(log::Level::info); }

    void store(std::string_view bytes) {
        content = bytes;
        const Bytes copy(as_bytes(content).begin(), as_bytes(content).end());
        ASSERT_TRUE(run(test::store_blob(blobs, blob, key, copy)));
    }
    static std::string sample(std::string_view file) {
        return test::read_project_file("tests/data/media/" + std::string(file));
    }
    Result<Findings> inspect(ContentInspector& inspector) {
        return run(inspector.inspect(blob, key, content.size()));
    }
    ContentInspector with(WithoutScanner rule) { return ContentInspector({blobs, &scanner, rule}); }

    test::MemoryBlobStore blobs;
    ScriptedScanner scanner;
    const BlobId blob = BlobId::random();
    const crypto::Key key = test::sample_key();
    std::string content;
};

TEST_F(ContentInspectorTest, what_is_stored_is_known_by_its_bytes) {
    store(sample("png.png"));
    ContentInspector inspector({blobs});
    const auto found = inspect(inspector);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->detected.type, "image/png");
    EXPECT_FALSE(found->infection);
    EXPECT_FALSE(found->is_unscanned) << "there is no scanner that could have been asked";
}

TEST_F(ContentInspectorTest, a_program_is_found_to_be_one) {
    store(sample("elf.elf"));
    ContentInspector inspector({blobs});
    EXPECT_EQ(inspect(inspector)->detected.forbidden, media::Forbidden::program);
}

TEST_F(ContentInspectorTest, the_scanner_sees_all_of_the_content_and_its_finding_is_counted) {
    store(sample("jpg.jpg"));
    scanner.infection = "Eicar-Test-Signature";
    ContentInspector inspector = with(WithoutScanner::refuse);
    const auto found = inspect(inspector);
    ASSERT_TRUE(found);
    EXPECT_EQ(scanner.seen, content);
    EXPECT_EQ(found->infection, "Eicar-Test-Signature");
    EXPECT_EQ(found->detected.type, "image/jpeg");
    EXPECT_EQ(inspector.totals().infected, 1U);
    EXPECT_EQ(inspector.totals().unscanned, 0U);
}

TEST_F(ContentInspectorTest, clean_content_counts_for_nothing) {
    store(sample("jpg.jpg"));
    ContentInspector inspector = with(WithoutScanner::refuse);
    EXPECT_FALSE(inspect(inspector)->infection);
    EXPECT_EQ(inspector.totals().infected, 0U);
}

TEST_F(ContentInspectorTest, without_an_answer_content_is_refused_for_now) {
    store("text");
    ContentInspector inspector = with(WithoutScanner::refuse);
    for (const Errc error : {Errc::unavailable, Errc::timed_out}) {
        scanner.error = error;
        const auto found = inspect(inspector);
        ASSERT_FALSE(found);
        EXPECT_EQ(found.error().reason, &reasons::overloaded);
    }
    EXPECT_EQ(inspector.totals().unscanned, 2U);
    scanner.error.reset();
    EXPECT_TRUE(inspect(inspector)) << "it answers again";
}

TEST_F(ContentInspectorTest, without_an_answer_content_is_taken_and_marked_where_that_is_wanted) {
    store("text");
    ContentInspector inspector = with(WithoutScanner::accept);
    scanner.error = Errc::unavailable;
    const auto found = inspect(inspector);
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->is_unscanned);
    EXPECT_FALSE(found->infection);
    EXPECT_EQ(inspector.totals().unscanned, 1U);
}

// Content that cannot be read is nobody's verdict.
TEST_F(ContentInspectorTest, an_error_of_the_store_is_told_as_such) {
    store("text");
    scanner.error = Errc::corrupt;
    ContentInspector accepting = with(WithoutScanner::accept);
    EXPECT_EQ(inspect(accepting).error().code, Errc::corrupt);
    EXPECT_EQ(accepting.totals().unscanned, 0U);
    ContentInspector inspector({blobs});
    EXPECT_FALSE(run(inspector.inspect(BlobId::random(), key, 4)));
}

}  // namespace
}  // namespace satchel
