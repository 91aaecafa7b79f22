#include "crypto/key_command.hpp"

#include "base/descriptor.hpp"
#include "base/limits.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <system_error>
#include <utility>

namespace satchel::crypto {
namespace {

using Clock = std::chrono::steady_clock;

std::string errno_text(int error) {
    return std::generic_category().message(error);
}

struct Pipe {
    Descriptor read;
    Descriptor write;
};

// Nullopt leaves errno. The end that is read never blocks.
std::optional<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
    Pipe made{Descriptor(ends[0]), Descriptor(ends[1])};
    if (::fcntl(made.read.number(), F_SETFL, O_NONBLOCK) != 0) return std::nullopt;
    return made;
}

// What the child begins with.
class SpawnPlan {
public:
    SpawnPlan(int out, int error) {
        ::posix_spawn_file_actions_init(&files_);
        ::posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        ::posix_spawn_file_actions_adddup2(&files_, out, STDOUT_FILENO);
        ::posix_spawn_file_actions_adddup2(&files_, error, STDERR_FILENO);
        ::posix_spawn_file_actions_addclosefrom_np(&files_, STDERR_FILENO + 1);
        ::posix_spawnattr_init(&attributes_);
        sigset_t set;
        sigemptyset(&set);
        ::posix_spawnattr_setsigmask(&attributes_, &set);
        sigfillset(&set);
        ::posix_spawnattr_setsigdefault(&attributes_, &set);
        // A session of its own: one kill() reaches all of it, and it cannot ask a terminal.
        ::posix_spawnattr_setflags(
            &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    }
    ~SpawnPlan() {
        ::posix_spawn_file_actions_destroy(&files_);
        ::posix_spawnattr_destroy(&attributes_);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;

    // 0 or an errno. The environment is ours: clients of key services are told by it where to go.
    int spawn(std::vector<std::string> words, pid_t& process) const {
        std::vector<char*> pointers;
        pointers.reserve(words.size() + 1);
        for (std::string& word : words) pointers.push_back(word.data());
        pointers.push_back(nullptr);
        return ::posix_spawnp(&process, pointers[0], &files_, &attributes_, pointers.data(),
                              environ);
    }

private:
    posix_spawn_file_actions_t files_{};
    posix_spawnattr_t attributes_{};
};

// Reads one end up to a limit; what is beyond it is thrown away.
class Capture {
public:
    Capture(Descriptor from, std::size_t max) : from_(std::move(from)), max_(max) {}

    int number() const { return from_.number(); }  // -1: it has ended.
    void drain() {
        std::array<char, 4096> piece{};
        while (from_) {
            const ssize_t n = ::read(from_.number(), piece.data(), piece.size());
            if (n < 0 && errno == EINTR) continue;
            if (n < 0 && errno == EAGAIN) return;
            if (n <= 0) return from_.close();
            const auto room = std::min(static_cast<std::size_t>(n), max_ - kept_.text.size());
            kept_.text.append(piece.data(), room);
            overflowed_ = overflowed_ || room < static_cast<std::size_t>(n);
            std::ranges::fill(piece, '\0');
        }
    }
    const std::string& text() const { return kept_.text; }
    bool overflowed() const { return overflowed_; }

private:
    Descriptor from_;
    std::size_t max_;
    SecretText kept_;
    bool overflowed_ = false;
};

class Process {
public:
    explicit Process(pid_t number)
        : number_(number), handle_(static_cast<int>(::syscall(SYS_pidfd_open, number, 0))) {}
    ~Process() {
        if (number_ > 0) static_cast<void>(end());
    }
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    int handle() const { return handle_.number(); }
    // Kills what is left of it. Its status, as waitpid() gives it.
    int end() {
        ::kill(-number_, SIGKILL);
        int status = 0;
        while (::waitpid(number_, &status, 0) < 0 && errno == EINTR) {
        }
        number_ = -1;
        return status;
    }

private:
    pid_t number_;
    Descriptor handle_;
};

// Until the process has ended, or neither of the two goes on. False: the time is over.
bool listen(const Process& process, Capture& out, Capture& error, Clock::time_point deadline) {
    while (true) {
        std::array<pollfd, 3> watched{{{process.handle(), POLLIN, 0},
                                       {out.number(), POLLIN, 0},
                                       {error.number(), POLLIN, 0}}};
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        const int ready = left <= 0
                              ? 0
                              : ::poll(watched.data(), watched.size(),
                                       static_cast<int>(std::min<std::int64_t>(left, 60'000)));
        if (left <= 0) return false;
        if (ready < 0 && errno != EINTR) return false;
        const bool has_ended = watched[0].revents != 0;
        out.drain();
        error.drain();
        if (has_ended) return true;
        // A program that prints without end is not waited for.
        if (out.overflowed()) return true;
    }
}

std::string first_line(std::string_view text) {
    std::string line;
    for (const char c : text.substr(0, text.find('\n'))) {
        line += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    return line;
}

std::string ending(int status) {
    if (WIFEXITED(status)) return "ended with status " + std::to_string(WEXITSTATUS(status));
    return "was ended by signal " + std::to_string(WTERMSIG(status));
}

}  // namespace

std::unexpected<Error> KeyCommand::refuse(Errc code, std::string_view what) const {
    const std::string line = name() + " (" + options_.words.front() + ") " + std::string(what);
    return std::unexpected(Error{code, nullptr, line, line});
}

Result<KeyRing> KeyCommand::read() {
    auto out_pipe = make_pipe();
    auto error_pipe = make_pipe();
    if (!out_pipe || !error_pipe) {
        return refuse(Errc::unavailable, "cannot be run: " + errno_text(errno));
    }
    pid_t started = 0;
    const int failed = SpawnPlan(out_pipe->write.number(), error_pipe->write.number())
                           .spawn(options_.words, started);
    if (failed != 0) {
        return refuse(
            failed == EACCES ? Errc::permission_denied : Errc::unavailable,
            "cannot be run: " + errno_text(failed) + "; name a program that this user may run");
    }
    Process process(started);
    if (process.handle() < 0) {
        return refuse(Errc::unavailable, "cannot be watched: " + errno_text(errno));
    }
    out_pipe->write.close();
    error_pipe->write.close();
    Capture out(std::move(out_pipe->read), limits::master_key_text_bytes_max);
    Capture error(std::move(error_pipe->read), limits::key_command_error_bytes_max);

    const bool is_in_time = listen(process, out, error, Clock::now() + options_.wait_max);
    const int status = process.end();
    std::string said = first_line(error.text());
    if (!said.empty()) said = "; it said: " + said;
    if (!is_in_time) {
        return refuse(Errc::timed_out, "was still running after " +
                                           std::to_string(options_.wait_max.count()) +
                                           " ms and was ended: see why it hangs" + said);
    }
    if (out.overflowed()) {
        return refuse(Errc::corrupt, "printed more than " +
                                         std::to_string(limits::master_key_text_bytes_max) +
                                         " bytes: it must print the key lines alone");
    }
    if (status != 0) return refuse(Errc::unavailable, ending(status) + said);
    auto keys = parse_master_keys(out.text());
    if (!keys) {
        return refuse(Errc::corrupt, "printed what is no master key (it " + keys.error().message +
                                         "): it must print the lines that satchel keys generate "
                                         "made" +
                                         said);
    }
    return KeyRing(*std::move(keys), name());
}

Result<> KeyCommand::add(const MasterKey& /*key*/) {
    return refuse(Errc::invalid_argument, "cannot be written to");
}

Result<> KeyCommand::remove(std::uint32_t /*version*/) {
    return refuse(Errc::invalid_argument, "cannot be written to");
}

}  // namespace satchel::crypto
