#include "crypto/key_command.hpp"

#include "base/limits.hpp"
#include "tests/support/temp_folder.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <string>

namespace satchel::crypto {
namespace {

using namespace std::chrono_literals;

struct KeyCommandTest : testing::Test {
    test::TempFolder folder;

    static KeyCommand shell(const std::string& line, std::chrono::milliseconds wait_max = 20s) {
        return KeyCommand({.words = {"/bin/sh", "-c", line}, .wait_max = wait_max});
    }
    static std::string line_of(std::uint32_t version) {
        SecretText line;
        append_key_line(line, {.version = version, .key = Key::random()});
        return line.text.substr(0, line.text.size() - 1);
    }
    // The error, whose message has to be one line that names the setting.
    static Error error_of(KeyCommand command) {
        const auto ring = command.read();
        EXPECT_FALSE(ring);
        if (ring) return {};
        EXPECT_TRUE(ring.error().message.starts_with("encryption.master_key_command"));
        EXPECT_EQ(ring.error().message.find('\n'), std::string::npos);
        return ring.error();
    }
};

TEST_F(KeyCommandTest, what_it_prints_is_the_ring) {
    const auto ring = shell("echo '# from the vault'; echo '" + line_of(3) + "'; echo '" +
                            line_of(8) + "'; echo noise >&2")
                          .read();
    ASSERT_TRUE(ring) << ring.error().message;
    EXPECT_EQ(ring->version(), 8U);
    EXPECT_TRUE(ring->check(3));
}

TEST_F(KeyCommandTest, words_are_passed_as_they_are_without_a_shell) {
    const std::string line = line_of(1);
    const auto ring = KeyCommand({.words = {"printf", "%s\n", line}, .wait_max = 20s}).read();
    EXPECT_TRUE(ring);
    EXPECT_EQ(error_of(KeyCommand({.words = {"printf", "$(echo %s)", line}, .wait_max = 20s})).code,
              Errc::corrupt);
}

TEST_F(KeyCommandTest, a_failure_tells_its_status_and_the_first_line_it_said) {
    const Error error =
        error_of(shell("echo 'permission denied: secret/satchel' >&2; echo more >&2; exit 3"));
    EXPECT_EQ(error.code, Errc::unavailable);
    EXPECT_NE(error.message.find("status 3"), std::string::npos);
    EXPECT_NE(error.message.find("permission denied: secret/satchel"), std::string::npos);
    EXPECT_EQ(error.message.find("more"), std::string::npos);
}

TEST_F(KeyCommandTest, a_failure_counts_even_if_a_key_was_printed) {
    EXPECT_EQ(error_of(shell("echo '" + line_of(1) + "'; exit 1")).code, Errc::unavailable);
}

TEST_F(KeyCommandTest, a_program_that_is_not_there_is_named) {
    const Error error =
        error_of(KeyCommand({.words = {(folder / "absent").string()}, .wait_max = 20s}));
    EXPECT_NE(error.message.find("absent"), std::string::npos);
    std::ofstream(folder / "plain") << "text";
    EXPECT_EQ(error_of(KeyCommand({.words = {(folder / "plain").string()}, .wait_max = 20s})).code,
              Errc::permission_denied);
}

TEST_F(KeyCommandTest, one_that_hangs_is_ended_with_all_it_started) {
    const std::string pid_file = (folder / "pid").string();
    const Error error = error_of(shell("sleep 1000 & echo $! > " + pid_file + "; wait", 1500ms));
    EXPECT_EQ(error.code, Errc::timed_out);
    pid_t child = 0;
    std::ifstream(pid_file) >> child;
    ASSERT_GT(child, 0);
    // Killed; whoever adopted it may not have reaped it yet.
    const auto state_of = [child]() -> char {
        std::ifstream stat("/proc/" + std::to_string(child) + "/stat");
        std::string word;
        char state = 'X';
        stat >> word >> word >> state;
        return state;
    };
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    char state = state_of();
    while (state != 'X' && state != 'Z' && std::chrono::steady_clock::now() < deadline) {
        state = state_of();
    }
    EXPECT_TRUE(state == 'X' || state == 'Z') << state;
}

TEST_F(KeyCommandTest, one_whose_child_keeps_the_output_open_is_done_when_it_ends) {
    const auto ring = shell("echo '" + line_of(1) + "'; sleep 1000 &").read();
    EXPECT_TRUE(ring) << ring.error().message;
}

TEST_F(KeyCommandTest, garbage_is_refused) {
    for (const std::string line : {"true", "echo hello", "printf ''", "head -c 100 /dev/zero",
                                   "echo 'satchel-master-key 1 abc def'"}) {
        EXPECT_EQ(error_of(shell(line)).code, Errc::corrupt) << line;
    }
}

TEST_F(KeyCommandTest, what_prints_too_much_is_cut_off) {
    EXPECT_EQ(error_of(shell("yes")).code, Errc::corrupt);
    EXPECT_EQ(error_of(shell("head -c 1000000 /dev/zero")).code, Errc::corrupt);
    // Noise beside the key does no harm.
    EXPECT_TRUE(shell("head -c 1000000 /dev/zero >&2; echo '" + line_of(1) + "'").read());
}

TEST_F(KeyCommandTest, it_cannot_be_written_to) {
    KeyCommand command = shell("true");
    EXPECT_FALSE(command.is_writable());
    EXPECT_EQ(command.add({.version = 2, .key = Key::random()}).error().code,
              Errc::invalid_argument);
    EXPECT_EQ(command.remove(1).error().code, Errc::invalid_argument);
}

}  // namespace
}  // namespace satchel::crypto
