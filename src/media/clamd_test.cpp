#include "media/clamd.hpp"

#include "tests/support/run.hpp"
#include "tests/support/temp_folder.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <thread>

namespace satchel::media {
namespace {

using namespace std::chrono_literals;

// One connection's other end, on a thread.
class ScriptedDaemon {
public:
    using Script = std::function<void(int fd)>;
    ScriptedDaemon(const std::filesystem::path& path, Script script) {
        ::unlink(path.c_str());
        listener_ = ::socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_un name{};
        name.sun_family = AF_UNIX;
        path.string().copy(name.sun_path, sizeof name.sun_path - 1);
        EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
        EXPECT_EQ(::listen(listener_, 1), 0);
        thread_ = std::thread([this, script = std::move(script)] {
            const int fd = ::accept(listener_, nullptr, nullptr);
            if (fd < 0) return;
            script(fd);
            ::close(fd);
        });
    }
    ~ScriptedDaemon() {
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
    }
    ScriptedDaemon(const ScriptedDaemon&) = delete;
    ScriptedDaemon& operator=(const ScriptedDaemon&) = delete;

private:
    int listener_ = -1;
    std::thread thread_;
};

std::string read_exactly(int fd, std::size_t size) {
    std::string out(size, '\0');
    std::size_t done = 0;
    while (done < size) {
        const auto got = ::read(fd, out.data() + done, size - done);
        if (got <= 0) break;
        done += static_cast<std::size_t>(got);
    }
    out.resize(done);
    return out;
}

// The content of an INSTREAM, command and chunk lengths taken off.
std::string read_stream(int fd) {
    EXPECT_EQ(read_exactly(fd, 10), std::string("zINSTREAM\0", 10));
    std::string content;
    for (;;) {
        const std::string head = read_exactly(fd, 4);
        if (head.size() < 4) return content;
        std::size_t size = 0;
        for (const char c : head) size = size << 8 | static_cast<unsigned char>(c);
        if (size == 0) return content;
        content += read_exactly(fd, size);
    }
}

void say(int fd, std::string_view text) {
    EXPECT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

struct ClamdTest : testing::Test {
    test::TempFolder folder;
    std::string content = std::string(200'000, 'x') + "end";

    Result<std::optional<std::string>> scan(ScriptedDaemon::Script script) {
        const auto path = folder / "clamd.ctl";
        const ScriptedDaemon daemon(path, std::move(script));
        Clamd clamd({.path = path.string()}, 200ms);
        BytesContent source(as_bytes(content));
        return test::run(clamd.scan(source));
    }
    static ScriptedDaemon::Script answering(std::string_view answer) {
        return [answer](int fd) {
            read_stream(fd);
            say(fd, answer);
        };
    }
};

TEST_F(ClamdTest, the_daemon_gets_every_byte_and_finds_nothing) {
    std::string seen;
    const auto found = scan([&seen](int fd) {
        seen = read_stream(fd);
        say(fd, {"stream: OK\0", 11});
    });
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, std::nullopt);
    EXPECT_EQ(seen, content);
}

TEST_F(ClamdTest, what_it_finds_has_a_name) {
    const auto found = scan(answering({"stream: Eicar-Test-File.UNOFFICIAL FOUND\0", 41}));
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, "Eicar-Test-File.UNOFFICIAL");
}

TEST_F(ClamdTest, an_answer_may_end_with_the_connection) {
    const auto found = scan(answering("stream: OK"));
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, std::nullopt);
}

TEST_F(ClamdTest, no_verdict_is_not_taken_for_a_clean_one) {
    const auto refused = scan(answering({"INSTREAM size limit exceeded. ERROR\0", 36}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unavailable);
    EXPECT_NE(refused.error().detail.find("size limit"), std::string::npos);
    EXPECT_EQ(scan(answering("")).error().code, Errc::unavailable);
    EXPECT_EQ(scan(answering(std::string_view("\0", 1))).error().code, Errc::unavailable);
    const std::string endless(10'000, 'a');
    EXPECT_EQ(scan(answering(endless)).error().code, Errc::unavailable);
}

TEST_F(ClamdTest, a_refusal_before_the_end_is_told_by_its_reason) {
    content.resize(50'000'000, 'x');
    const auto refused = scan([](int fd) {
        read_exactly(fd, 1000);
        say(fd, {"INSTREAM size limit exceeded. ERROR\0", 36});
        ::shutdown(fd, SHUT_RD);
    });
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unavailable);
}

TEST_F(ClamdTest, silence_has_an_end) {
    const auto late = scan([](int fd) {
        read_stream(fd);
        read_exactly(fd, 1);  // Until the other side gives up.
    });
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Errc::timed_out);
}

TEST_F(ClamdTest, nobody_there_is_unavailable) {
    Clamd clamd({.path = (folder / "absent.ctl").string()}, 200ms);
    BytesContent source(as_bytes(content));
    EXPECT_EQ(test::run(clamd.scan(source)).error().code, Errc::unavailable);
    EXPECT_EQ(test::run(clamd.ping()).error().code, Errc::unavailable);
}

TEST_F(ClamdTest, a_ping_is_answered) {
    const auto path = folder / "clamd.ctl";
    const ScriptedDaemon daemon(path, [](int fd) {
        EXPECT_EQ(read_exactly(fd, 6), std::string("zPING\0", 6));
        say(fd, {"PONG\0", 5});
    });
    Clamd clamd({.path = path.string()}, 200ms);
    EXPECT_TRUE(test::run(clamd.ping()));
}

}  // namespace
}  // namespace satchel::media
