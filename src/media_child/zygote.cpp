#include "media_child/zygote.hpp"

#include "base/descriptor.hpp"
#include "base/limits.hpp"
#include "base/scheduling.hpp"
#include "media_child/confinement.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>
#include <vector>

namespace satchel::media {
namespace {

using Clock = std::chrono::steady_clock;

// Of a child, in the order in which they were sent.
constexpr int input_descriptor = 3;
constexpr int output_descriptor = 4;
constexpr int answer_descriptor = 5;
constexpr int first_other_descriptor = 6;
constexpr JobBounds probe_bounds{
    .memory_bytes = std::uint64_t{512} << 20, .output_bytes = 1 << 20, .cpu_seconds = 1};

struct Child {
    std::uint64_t job = 0;
    pid_t process = 0;
    Clock::time_point deadline;
    bool out_of_time = false;
};

struct Received {
    jail::JobMessage message;
    std::array<Descriptor, jail::job_descriptors> descriptors;
};

class Zygote {
public:
    Zygote(int channel, Job job, KeptDescriptors kept)
        : channel_(channel), job_(job), kept_(kept) {}

    int run();

private:
    std::uint32_t probe() const;
    bool take_order();
    std::optional<Received> receive();
    void start(const Received& order);
    [[noreturn]] void become_child(const Received& order) const;
    bool close_others() const;
    void reap();
    void end_overdue();
    int poll_timeout() const;
    void end_all();
    template <class Message>
    bool send(const Message& message) const;

    int channel_;
    Job job_;
    KeptDescriptors kept_;
    Descriptor signals_;
    std::uint32_t walls_ = 0;
    bool open_ = true;
    std::vector<Child> children_;
};

void unblock_signals() {
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

Descriptor child_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    return Descriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

jail::Ended ended(std::uint64_t job, const Child& child, int status, const rusage& used) {
    jail::Ended notice;
    notice.job = job;
    notice.peak_memory_kib = static_cast<std::uint64_t>(used.ru_maxrss);
    notice.cpu_microseconds =
        static_cast<std::uint64_t>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1'000'000 +
        static_cast<std::uint64_t>(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    if (WIFEXITED(status)) {
        notice.how = jail::How::exited;
        notice.number = WEXITSTATUS(status);
        return notice;
    }
    notice.number = WTERMSIG(status);
    notice.how = jail::How::killed;
    if (child.out_of_time) notice.how = jail::How::out_of_time;
    if (notice.number == SIGXCPU) notice.how = jail::How::out_of_cpu;
    return notice;
}

int Zygote::run() {
    signals_ = child_signals();
    if (!signals_) return 1;
    walls_ = confine_zygote();
    walls_ |= probe();
    jail::Hello hello;
    hello.walls = walls_;
    hello.landlock_abi = landlock_abi();
    if (!send(hello)) return 1;
    while (open_) {
        std::array<pollfd, 2> ready{{{.fd = channel_, .events = POLLIN, .revents = 0},
                                     {.fd = signals_.number(), .events = POLLIN, .revents = 0}}};
        if (::poll(ready.data(), ready.size(), poll_timeout()) < 0 && errno != EINTR) break;
        if (ready[1].revents != 0) reap();
        if (ready[0].revents != 0) open_ = take_order();
        end_overdue();
    }
    end_all();
    return 0;
}

// What a child can have here, found out by one.
std::uint32_t Zygote::probe() const {
    const pid_t process = ::fork();
    if (process == 0) ::_exit(static_cast<int>(confine_job(probe_bounds)));
    int status = 0;
    if (process < 0 || ::waitpid(process, &status, 0) != process || !WIFEXITED(status)) return 0;
    return static_cast<std::uint32_t>(WEXITSTATUS(status));
}

// False once the server has gone.
bool Zygote::take_order() {
    const std::optional<Received> order = receive();
    if (!order) return open_;
    if (order->message.version != jail::protocol_version) return false;
    if (order->message.kind == jail::Kind::cancel) {
        for (const Child& child : children_) {
            if (child.job == order->message.job) ::kill(child.process, SIGKILL);
        }
    } else if (order->message.kind == jail::Kind::run) {
        start(*order);
    }
    return open_;
}

std::optional<Received> Zygote::receive() {
    Received order;
    iovec piece{.iov_base = &order.message, .iov_len = sizeof order.message};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * jail::job_descriptors)> control{};
    msghdr header{};
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t got = ::recvmsg(channel_, &header, MSG_CMSG_CLOEXEC);
    if (got < 0 && errno == EINTR) return std::nullopt;
    if (const cmsghdr* attached = got >= 0 ? CMSG_FIRSTHDR(&header) : nullptr) {
        const std::size_t count = (attached->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < std::min(count, order.descriptors.size()); ++i) {
            int number = -1;
            std::memcpy(&number, CMSG_DATA(attached) + i * sizeof(int), sizeof number);
            order.descriptors[i] = Descriptor(number);
        }
    }
    if (got == sizeof order.message) return order;
    open_ = false;
    return std::nullopt;
}

void Zygote::start(const Received& order) {
    const pid_t process = ::fork();
    if (process == 0) become_child(order);
    if (process < 0) {
        jail::Ended notice;
        notice.job = order.message.job;
        notice.how = jail::How::not_started;
        notice.number = errno;
        open_ = send(notice);
        return;
    }
    const auto wall = std::chrono::milliseconds(order.message.wall_milliseconds);
    children_.push_back(
        {.job = order.message.job, .process = process, .deadline = Clock::now() + wall});
}

// All but a child's own and those that were kept for it.
bool Zygote::close_others() const {
    auto next = static_cast<unsigned>(first_other_descriptor);
    if (kept_.count > 0) {
        const auto first = static_cast<unsigned>(kept_.first);
        if (::close_range(next, first - 1, 0) != 0) return false;
        next = first + kept_.count;
    }
    return ::close_range(next, ~0U, 0) == 0;
}

void Zygote::become_child(const Received& order) const {
    unblock_signals();
    lower_priority(limits::media_job_niceness);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    // A write beyond the limit is an error, not a signal.
    ::signal(SIGXFSZ, SIG_IGN);
    ::signal(SIGPIPE, SIG_IGN);
    std::array<int, jail::job_descriptors> aside{};
    for (std::size_t i = 0; i < aside.size(); ++i) {
        aside[i] = ::fcntl(order.descriptors[i].number(), F_DUPFD, first_other_descriptor + 10);
    }
    for (std::size_t i = 0; i < aside.size(); ++i) {
        if (::dup2(aside[i], input_descriptor + static_cast<int>(i)) < 0) {
            ::_exit(jail::status_without_walls);
        }
    }
    if (!close_others()) ::_exit(jail::status_without_walls);
    const JobBounds bounds{.memory_bytes = order.message.memory_bytes,
                           .output_bytes = order.message.output_bytes,
                           .cpu_seconds = order.message.cpu_seconds};
    constexpr std::uint32_t of_zygote = jail::network_namespace | jail::no_privileges;
    const std::uint32_t standing = confine_job(bounds) | (walls_ & of_zygote);
    if (standing != walls_ || (standing & jail::needed_walls) != jail::needed_walls) {
        ::_exit(jail::status_without_walls);
    }
    if (::lseek(input_descriptor, 0, SEEK_SET) != 0) ::_exit(jail::status_without_walls);
    const jail::Answer answer = job_(order.message, input_descriptor, output_descriptor);
    const ssize_t written = ::write(answer_descriptor, &answer, sizeof answer);
    ::_exit(written == sizeof answer ? 0 : 1);
}

void Zygote::reap() {
    signalfd_siginfo taken{};
    while (::read(signals_.number(), &taken, sizeof taken) == sizeof taken) {
    }
    int status = 0;
    rusage used{};
    for (pid_t process = 0; (process = ::wait4(-1, &status, WNOHANG, &used)) > 0;) {
        const auto child = std::ranges::find(children_, process, &Child::process);
        if (child == children_.end()) continue;
        if (!send(ended(child->job, *child, status, used))) open_ = false;
        children_.erase(child);
    }
}

void Zygote::end_overdue() {
    const auto now = Clock::now();
    for (Child& child : children_) {
        if (child.out_of_time || now < child.deadline) continue;
        child.out_of_time = true;
        ::kill(child.process, SIGKILL);
    }
}

int Zygote::poll_timeout() const {
    auto next = Clock::time_point::max();
    for (const Child& child : children_) {
        if (!child.out_of_time) next = std::min(next, child.deadline);
    }
    if (next == Clock::time_point::max()) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now());
    return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
}

void Zygote::end_all() {
    for (const Child& child : children_) ::kill(child.process, SIGKILL);
    for (const Child& child : children_) ::waitpid(child.process, nullptr, 0);
}

template <class Message>
bool Zygote::send(const Message& message) const {
    while (true) {
        const ssize_t sent = ::send(channel_, &message, sizeof message, MSG_NOSIGNAL);
        if (sent >= 0 || errno != EINTR) return sent == sizeof message;
    }
}

}  // namespace

int run_zygote(int channel, Job job, KeptDescriptors kept) {
    return Zygote(channel, job, kept).run();
}

}  // namespace satchel::media
