#include "crypto/key_ring.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace satchel::crypto {
namespace {

namespace fs = std::filesystem;

// Every byte of the key is 0x11.
constexpr std::string_view sample_line =
    "satchel-master-key 3 ERERERERERERERERERERERERERERERERERERERERERE= 833ceff82971061f\n";

struct KeyRingTest : testing::Test {
    fs::path folder;
    fs::path file;

    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "key_ring_test.XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        folder = name;
        file = folder / "master.key";
    }
    void TearDown() override { fs::remove_all(folder); }

    void write(std::string_view text) {
        std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
        fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
    }
    std::string content() const {
        std::ifstream in(file, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    // The error of open(), whose message has to be one line that names the file.
    Errc refused() const {
        const auto ring = KeyRing::open(file);
        EXPECT_FALSE(ring);
        if (ring) return Errc::internal;
        EXPECT_NE(ring.error().message.find(file.string()), std::string::npos);
        EXPECT_EQ(ring.error().message.find('\n'), std::string::npos);
        return ring.error().code;
    }
    std::size_t files_in_folder() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
    }
};

TEST_F(KeyRingTest, a_created_file_opens_and_is_for_its_owner_alone) {
    ASSERT_TRUE(KeyRing::create(file));
    struct stat status{};
    ASSERT_EQ(::stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
    EXPECT_EQ(status.st_nlink, 1U);
    EXPECT_EQ(files_in_folder(), 1U);
    const auto ring = KeyRing::open(file);
    ASSERT_TRUE(ring);
    EXPECT_EQ(ring->version(), 1U);
}

TEST_F(KeyRingTest, created_keys_differ) {
    ASSERT_TRUE(KeyRing::create(file));
    ASSERT_TRUE(KeyRing::create(folder / "other.key"));
    EXPECT_NE(KeyRing::open(file)->check(1), KeyRing::open(folder / "other.key")->check(1));
}

TEST_F(KeyRingTest, create_never_replaces_a_file) {
    write("precious");
    const auto again = KeyRing::create(file);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Errc::conflict);
    EXPECT_EQ(content(), "precious");
    EXPECT_EQ(files_in_folder(), 1U);
}

TEST_F(KeyRingTest, create_needs_the_folder) {
    const auto made = KeyRing::create(folder / "absent" / "master.key");
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, Errc::not_found);
    EXPECT_NE(made.error().message.find("absent/master.key"), std::string::npos);
}

TEST_F(KeyRingTest, a_file_of_the_first_release_opens_to_the_same_keys) {
    write(sample_line);
    const auto ring = KeyRing::open(file);
    ASSERT_TRUE(ring) << ring.error().message;
    EXPECT_EQ(ring->version(), 3U);
    EXPECT_EQ(to_hex(ring->former_secrets("upload-url-v1").front().bytes),
              "b430f93f9a742013e169da6dcd1a5f08435622cc1f801fbcb3cb57c0b446028a");
    const auto attachment = AttachmentId::parse("550e8400-e29b-41d4-a716-446655440000");
    const auto wrapped = from_hex(
        "be09495cfe10a6213096fc25d129ba27be60b9c3835cb25b72cbe94e11f5a824e517fbd2a3b2a3addab8b07a65"
        "10f119");
    const auto key = ring->unwrap(*attachment, 3, *wrapped);
    ASSERT_TRUE(key);
    EXPECT_EQ(to_hex(key->bytes),
              "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    EXPECT_EQ(to_hex(name_key(*key).bytes),
              "faf7205f001b3bff46ee5aa0594f999a5e2795b56e54e32e8f27660739448d3f");
    const auto blob = BlobId::parse("00112233-4455-4677-8899-aabbccddeeff");
    EXPECT_EQ(to_hex(blob_key(*key, *blob).bytes),
              "c041e0ba9584c33b5668f528c56b96174419217880c69ec2ada170769a792e5f");
}

TEST_F(KeyRingTest, comments_blank_lines_and_a_missing_last_newline_are_fine) {
    write("# a comment\n\n" + std::string(sample_line.substr(0, sample_line.size() - 1)));
    EXPECT_TRUE(KeyRing::open(file));
}

TEST_F(KeyRingTest, a_missing_file_is_not_found) {
    EXPECT_EQ(refused(), Errc::not_found);
}

TEST_F(KeyRingTest, a_file_that_others_may_read_is_refused) {
    ASSERT_TRUE(KeyRing::create(file));
    for (const mode_t mode : {0640U, 0604U, 0620U, 0602U, 0610U, 0777U}) {
        ASSERT_EQ(::chmod(file.c_str(), mode), 0);
        EXPECT_EQ(refused(), Errc::permission_denied);
    }
    ASSERT_EQ(::chmod(file.c_str(), 0400), 0);
    EXPECT_TRUE(KeyRing::open(file));
}

TEST_F(KeyRingTest, what_is_not_a_regular_file_is_refused_at_once) {
    ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
    EXPECT_EQ(refused(), Errc::corrupt);
    fs::remove(file);
    fs::create_directory(file);
    EXPECT_EQ(refused(), Errc::corrupt);
}

TEST_F(KeyRingTest, garbage_is_refused) {
    const std::string line(sample_line);
    for (const std::string& text : {
             std::string(),
             std::string("# only a comment\n"),
             std::string("hello\n"),
             std::string(10'000, 'x'),
             std::string(100, '\0'),
             "x" + line,
             " " + line,
             line + "more\n",
             "satchel-master-key 0" + line.substr(20),
             "satchel-master-key 4294967296" + line.substr(20),
             "satchel-master-key -1" + line.substr(20),
             "satchel-master-key  3" + line.substr(20),
             line.substr(0, line.size() - 1) + " x\n",
         }) {
        write(text);
        EXPECT_EQ(refused(), Errc::corrupt) << text;
    }
}

TEST_F(KeyRingTest, one_version_twice_is_refused) {
    write(std::string(sample_line) + std::string(sample_line));
    EXPECT_EQ(refused(), Errc::corrupt);
    EXPECT_NE(KeyRing::open(file).error().message.find("ascend"), std::string::npos);
}

TEST_F(KeyRingTest, a_file_cut_anywhere_in_its_key_line_is_refused) {
    for (std::size_t size = 0; size < sample_line.size() - 1; ++size) {
        write(sample_line.substr(0, size));
        EXPECT_EQ(refused(), Errc::corrupt) << size;
    }
}

TEST_F(KeyRingTest, a_flipped_bit_in_the_key_or_its_check_is_refused) {
    const std::size_t from = sample_line.find("ERER");
    for (std::size_t bit = from * 8; bit < (sample_line.size() - 1) * 8; ++bit) {
        std::string text(sample_line);
        text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << (bit % 8)));
        write(text);
        EXPECT_EQ(refused(), Errc::corrupt) << bit;
    }
}

struct WrapTest : KeyRingTest {
    const AttachmentId attachment = AttachmentId::random();
    const Key key = Key::random();

    KeyRing ring() {
        if (!fs::exists(file)) {
            EXPECT_TRUE(KeyRing::create(file));
        }
        return *KeyRing::open(file);
    }
};

TEST_F(WrapTest, unwraps_to_the_same_key_after_a_restart) {
    const auto [version, wrapped] = ring().wrap(attachment, key);
    EXPECT_EQ(version, 1U);
    EXPECT_EQ(wrapped.size(), 48U);
    const auto back = ring().unwrap(attachment, 1, wrapped);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->bytes, key.bytes);
}

TEST_F(WrapTest, belongs_to_its_attachment_and_version) {
    const Bytes wrapped = ring().wrap(attachment, key).bytes;
    EXPECT_EQ(ring().unwrap(AttachmentId::random(), 1, wrapped).error().code, Errc::corrupt);
    EXPECT_EQ(ring().unwrap(attachment, 2, wrapped).error().code, Errc::corrupt);
    EXPECT_EQ(ring().unwrap(attachment, 0, wrapped).error().code, Errc::corrupt);
}

TEST_F(WrapTest, belongs_to_its_master_key) {
    const Bytes wrapped = ring().wrap(attachment, key).bytes;
    fs::remove(file);
    EXPECT_EQ(ring().unwrap(attachment, 1, wrapped).error().code, Errc::corrupt);
}

TEST_F(WrapTest, detects_every_flipped_bit_and_every_other_length) {
    const KeyRing keys = ring();
    Bytes wrapped = keys.wrap(attachment, key).bytes;
    for (std::size_t bit = 0; bit < wrapped.size() * 8; ++bit) {
        const std::byte mask{static_cast<unsigned char>(1U << (bit % 8))};
        wrapped[bit / 8] ^= mask;
        EXPECT_FALSE(keys.unwrap(attachment, 1, wrapped)) << bit;
        wrapped[bit / 8] ^= mask;
    }
    for (std::size_t size = 0; size < wrapped.size(); ++size) {
        EXPECT_FALSE(keys.unwrap(attachment, 1, ByteView(wrapped).first(size)));
    }
    wrapped.push_back({});
    EXPECT_FALSE(keys.unwrap(attachment, 1, wrapped));
}

TEST_F(WrapTest, secrets_last_and_differ_by_purpose) {
    const Key text_key = Key::random();
    EXPECT_EQ(secret_of(text_key, "upload-url-v1").bytes,
              secret_of(text_key, "upload-url-v1").bytes);
    EXPECT_NE(secret_of(text_key, "upload-url-v1").bytes,
              secret_of(text_key, "demo-api-key-v1").bytes);
}

TEST_F(WrapTest, the_newest_version_wraps_and_every_version_unwraps) {
    KeyRing keys = ring();
    const WrappedKey before = keys.wrap(attachment, key);
    keys.take(KeyRing({{.version = 1, .key = Key::random()}, {.version = 7, .key = Key::random()}},
                      "a test"));
    EXPECT_EQ(keys.version(), 7U);
    const WrappedKey after = keys.wrap(attachment, key);
    EXPECT_EQ(after.version, 7U);
    EXPECT_EQ(keys.unwrap(attachment, 7, after.bytes)->bytes, key.bytes);
    // Version 1 was here before, so the other one of that number is not taken.
    EXPECT_EQ(keys.unwrap(attachment, 1, before.bytes)->bytes, key.bytes);
    EXPECT_FALSE(keys.unwrap(attachment, 1, after.bytes));
    EXPECT_FALSE(keys.unwrap(attachment, 7, before.bytes));
}

TEST_F(WrapTest, the_text_key_follows_the_newest_version) {
    KeyRing keys = ring();
    const WrappedKey before = keys.wrap_text_key(key);
    keys.take(KeyRing({{.version = 2, .key = Key::random()}}, "a test"));
    const WrappedKey after = keys.wrap_text_key(key);
    EXPECT_EQ(after.version, 2U);
    EXPECT_EQ(keys.unwrap_text_key(1, before.bytes)->bytes, key.bytes);
    EXPECT_EQ(keys.unwrap_text_key(2, after.bytes)->bytes, key.bytes);
}

TEST(AttachmentKeys, name_and_blobs_have_keys_of_their_own) {
    const Key key = Key::random();
    const BlobId blob = BlobId::random();
    EXPECT_NE(name_key(key).bytes, key.bytes);
    EXPECT_NE(name_key(key).bytes, blob_key(key, blob).bytes);
    EXPECT_NE(blob_key(key, blob).bytes, blob_key(key, BlobId::random()).bytes);
    EXPECT_EQ(blob_key(key, blob).bytes, blob_key(key, blob).bytes);
}

}  // namespace
}  // namespace satchel::crypto
