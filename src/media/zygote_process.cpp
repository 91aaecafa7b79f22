#include "media/zygote_process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <boost/asio/as_tuple.hpp>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <utility>

namespace satchel::media {
namespace {

std::unexpected<Error> unavailable(const char* call, int error) {
    return fail(Errc::unavailable, std::string(call) + ": " + std::strerror(error));
}

class SpawnPlan {
public:
    explicit SpawnPlan(int channel) {
        ::posix_spawn_file_actions_init(&files_);
        for (const int standard : {0, 1, 2}) {
            ::posix_spawn_file_actions_addopen(&files_, standard, "/dev/null", O_RDWR, 0);
        }
        ::posix_spawn_file_actions_adddup2(&files_, channel, jail::channel_descriptor);
        ::posix_spawn_file_actions_addclosefrom_np(&files_, jail::channel_descriptor + 1);
        ::posix_spawnattr_init(&attributes_);
        sigset_t set;
        sigemptyset(&set);
        ::posix_spawnattr_setsigmask(&attributes_, &set);
        sigfillset(&set);
        ::posix_spawnattr_setsigdefault(&attributes_, &set);
        // A process group of its own: Ctrl-C is for the server, which then ends the zygote.
        ::posix_spawnattr_setpgroup(&attributes_, 0);
        ::posix_spawnattr_setflags(
            &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    }
    ~SpawnPlan() {
        ::posix_spawn_file_actions_destroy(&files_);
        ::posix_spawnattr_destroy(&attributes_);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;

    Result<pid_t> spawn(const std::string& program) const {
        std::string path = program;
        std::string argument = "--zygote";
        std::array<char*, 3> arguments{path.data(), argument.data(), nullptr};
        // Nothing of the server's environment, which may hold secrets. All symbols are looked up at
        // the start, or each job would do it again.
        std::string binding = "LD_BIND_NOW=1";
        std::array<char*, 2> environment{binding.data(), nullptr};
        pid_t process = 0;
        const int error = ::posix_spawn(&process, program.c_str(), &files_, &attributes_,
                                        arguments.data(), environment.data());
        if (error != 0) return unavailable(("starting " + program).c_str(), error);
        return process;
    }

private:
    posix_spawn_file_actions_t files_{};
    posix_spawnattr_t attributes_{};
};

}  // namespace

std::string program_beside_this(std::string_view name) {
    std::error_code unknown;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", unknown);
    return unknown ? std::string(name) : (self.parent_path() / name).string();
}

Result<ZygoteProcess> ZygoteProcess::start(const Loop::executor_type& loop,
                                           const std::string& program) {
    std::array<int, 2> pair{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
        return unavailable("socketpair", errno);
    }
    Descriptor ours(pair[0]);
    Descriptor theirs(pair[1]);
    // dup2() onto itself would leave close-on-exec set.
    if (theirs.number() == jail::channel_descriptor) {
        const int other = ::fcntl(theirs.number(), F_DUPFD_CLOEXEC, jail::channel_descriptor + 1);
        if (other < 0) return unavailable("fcntl", errno);
        theirs = Descriptor(other);
    }
    if (::fcntl(ours.number(), F_SETFL, O_NONBLOCK) != 0) return unavailable("fcntl", errno);
    TRY(const pid_t process, SpawnPlan(theirs.number()).spawn(program));
    return ZygoteProcess(Channel(loop, ours.release()), process);
}

ZygoteProcess::~ZygoteProcess() {
    if (process_.number == 0) return;
    kill();
    // It dies at once: nothing it does can delay SIGKILL.
    while (::waitpid(process_.number, nullptr, 0) < 0 && errno == EINTR) {
    }
}

void ZygoteProcess::kill() const {
    ::kill(process_.number, SIGKILL);
}

// False if it would wait; errors of a channel whose other end has gone show in receive().
bool ZygoteProcess::try_send(const jail::JobMessage& message, std::span<const int> descriptors) {
    jail::JobMessage copy = message;
    iovec piece{.iov_base = &copy, .iov_len = sizeof copy};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * jail::job_descriptors)> control{};
    msghdr header{};
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    if (!descriptors.empty()) {
        ASSERT(descriptors.size() == jail::job_descriptors);
        header.msg_control = control.data();
        header.msg_controllen = control.size();
        cmsghdr* const attached = CMSG_FIRSTHDR(&header);
        attached->cmsg_level = SOL_SOCKET;
        attached->cmsg_type = SCM_RIGHTS;
        attached->cmsg_len = CMSG_LEN(descriptors.size_bytes());
        std::memcpy(CMSG_DATA(attached), descriptors.data(), descriptors.size_bytes());
    }
    while (::sendmsg(channel_.native_handle(), &header, MSG_NOSIGNAL) < 0) {
        if (errno == EAGAIN) return false;
        if (errno != EINTR) return true;
    }
    return true;
}

Async<> ZygoteProcess::send(const jail::JobMessage& message, std::span<const int> descriptors) {
    while (!try_send(message, descriptors)) {
        const auto [error] =
            co_await channel_.async_wait(Channel::wait_write, asio::as_tuple(use_task));
        if (error) co_return fail(Errc::unavailable, "media channel: " + error.message());
    }
    co_return Result<>{};
}

void ZygoteProcess::send_now(const jail::JobMessage& message) {
    static_cast<void>(try_send(message, {}));
}

Async<ZygoteProcess::Message> ZygoteProcess::receive() {
    std::array<char, std::max(sizeof(jail::Hello), sizeof(jail::Ended)) + 1> buffer{};
    ssize_t got = 0;
    while ((got = ::recv(channel_.native_handle(), buffer.data(), buffer.size(), 0)) < 0) {
        if (errno == EINTR) continue;
        if (errno != EAGAIN) co_return unavailable("media channel", errno);
        const auto [error] =
            co_await channel_.async_wait(Channel::wait_read, asio::as_tuple(use_task));
        if (error) co_return fail(Errc::unavailable, "media channel: " + error.message());
    }
    if (got == 0) co_return fail(Errc::unavailable, "satchel-media has ended");
    Message message{};
    const auto size = static_cast<std::size_t>(got);
    if (size == sizeof message.hello) {
        std::memcpy(&message.hello, buffer.data(), size);
        message.kind = jail::Kind::hello;
        if (message.hello.kind == message.kind && message.hello.version == jail::protocol_version) {
            co_return message;
        }
    } else if (size == sizeof message.ended) {
        std::memcpy(&message.ended, buffer.data(), size);
        message.kind = jail::Kind::ended;
        if (message.ended.kind == message.kind && message.ended.version == jail::protocol_version) {
            co_return message;
        }
    }
    co_return fail(Errc::internal, "satchel-media is of another version than satchel");
}

}  // namespace satchel::media
