// satchel-media itself, through its channel: jobs with hostile media, and messages that are none.
// The program is the real one, in its jail and without sanitizers; libFuzzer is told of its
// verdicts in place of its code.
#include "base/descriptor.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "media/jail_protocol.hpp"
#include "media/memory_file.hpp"
#include "media/output_check.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

[[gnu::section("__libfuzzer_extra_counters")]] std::uint8_t verdicts_seen[4096];

namespace {

using namespace satchel;
using namespace satchel::media;
using namespace satchel::media::jail;

constexpr std::uint32_t wall_milliseconds = 5000;
constexpr std::uint64_t output_bytes_max = 4 * limits::MiB;
constexpr int patience_milliseconds = 30'000;
constexpr auto content_types = std::to_array<std::string_view>(
    {"", "image/jpeg", "image/png", "image/gif", "image/tiff", "image/heif", "image/webp", ""});

void note(std::string_view what, std::uint64_t number) {
    const std::size_t hash = std::hash<std::string_view>()(what) * 31 + number;
    verdicts_seen[hash % std::size(verdicts_seen)] = 1;
}

class Zygote {
public:
    Zygote() {
        std::array<int, 2> pair{};
        ASSERT(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) == 0);
        channel_ = Descriptor(pair[0]);
        const Descriptor theirs(pair[1]);
        posix_spawn_file_actions_t files;
        ::posix_spawn_file_actions_init(&files);
        for (const int number : {1, 2}) {
            ::posix_spawn_file_actions_addopen(&files, number, "/dev/null", O_RDWR, 0);
        }
        const Descriptor high(::fcntl(theirs.number(), F_DUPFD_CLOEXEC, 10));
        ::posix_spawn_file_actions_adddup2(&files, high.number(), channel_descriptor);
        ::posix_spawn_file_actions_addclosefrom_np(&files, channel_descriptor + 1);
        char program[] = SATCHEL_MEDIA;
        char argument[] = "--zygote";
        char* arguments[] = {program, argument, nullptr};
        char* environment[] = {nullptr};
        ASSERT(::posix_spawn(&process_, program, &files, nullptr, arguments, environment) == 0);
        ::posix_spawn_file_actions_destroy(&files);
        const auto hello = receive<Hello>();
        ASSERT(hello && (hello->walls & needed_walls) == needed_walls);
    }
    ~Zygote() {
        ::kill(process_, SIGKILL);
        ::waitpid(process_, nullptr, 0);
    }
    Zygote(const Zygote&) = delete;
    Zygote& operator=(const Zygote&) = delete;

    void send(ByteView bytes, const std::vector<int>& descriptors) const {
        std::vector<std::byte> copy(bytes.begin(), bytes.end());
        iovec piece{.iov_base = copy.data(), .iov_len = copy.size()};
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * 8)]{};
        msghdr header{};
        header.msg_iov = &piece;
        header.msg_iovlen = 1;
        if (!descriptors.empty()) {
            header.msg_control = control;
            header.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors.size());
            cmsghdr* const attached = CMSG_FIRSTHDR(&header);
            attached->cmsg_level = SOL_SOCKET;
            attached->cmsg_type = SCM_RIGHTS;
            attached->cmsg_len = CMSG_LEN(sizeof(int) * descriptors.size());
            std::memcpy(CMSG_DATA(attached), descriptors.data(), sizeof(int) * descriptors.size());
        }
        ::sendmsg(channel_.number(), &header, MSG_NOSIGNAL);
    }

    // Nullopt once it has gone, which it may by itself but not by a signal.
    template <class Message>
    std::optional<Message> receive() {
        pollfd ready{.fd = channel_.number(), .events = POLLIN, .revents = 0};
        // libFuzzer's clock interrupts.
        int count = 0;
        while ((count = ::poll(&ready, 1, patience_milliseconds)) < 0 && errno == EINTR) {
        }
        ASSERT(count == 1);
        Message message;
        const ssize_t got = ::recv(channel_.number(), &message, sizeof message, 0);
        if (got == sizeof message) return message;
        ASSERT(got <= 0);
        siginfo_t end{};
        const auto child = static_cast<id_t>(process_);
        while (::waitid(P_PID, child, &end, WEXITED | WNOWAIT) != 0) ASSERT(errno == EINTR);
        ASSERT(end.si_code == CLD_EXITED && end.si_status == 0);
        return std::nullopt;
    }

    // The answer of a job, if it gave one. Every job ends, and is said to.
    std::optional<Answer> run(JobMessage order, const Descriptor& input, const Descriptor& output) {
        std::array<int, 2> ends{};
        ASSERT(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0);
        const Descriptor reading(ends[0]);
        Descriptor writing(ends[1]);
        order.job = ++last_job_;
        send(as_bytes({reinterpret_cast<const char*>(&order), sizeof order}),
             {input.number(), output.number(), writing.number()});
        const auto ended = receive<Ended>();
        ASSERT(ended && ended->kind == Kind::ended && ended->job == order.job);
        note("end", static_cast<std::uint64_t>(ended->how) * 1000 +
                        static_cast<std::uint64_t>(ended->number));
        ASSERT(ended->how != How::not_started);
        const bool exited = ended->how == How::exited && ended->number == 0;
        // No call but a known one, and our own parsers break on nothing.
        ASSERT(ended->how != How::killed || ended->number != SIGSYS);
        if (order.task == Task::strip) ASSERT(exited || ended->how == How::out_of_cpu);
        if (!exited) return std::nullopt;
        Answer answer;
        ASSERT(::read(reading.number(), &answer, sizeof answer) == sizeof answer);
        ASSERT(answer.version == protocol_version && answer.job == order.job);
        return answer;
    }

private:
    Descriptor channel_;
    pid_t process_ = 0;
    std::uint64_t last_job_ = 0;
};

Zygote& zygote() {
    static Zygote one;
    return one;
}

// A message as it comes, on a channel of its own: the zygote stays or leaves, and does not fall.
void send_message(ByteView bytes, unsigned descriptors) {
    Zygote fresh;
    const Descriptor file = *make_memory_file("any");
    JobMessage cancel{.kind = Kind::cancel};
    fresh.send(bytes.first(std::min(bytes.size(), sizeof(JobMessage) + 1)),
               std::vector<int>(descriptors % 6, file.number()));
    const auto end = as_bytes({reinterpret_cast<const char*>(&cancel), sizeof cancel});
    fresh.send(end.first(1), {});
    while (fresh.receive<Ended>()) {
    }
}

struct Choices {
    std::uint8_t task;
    std::uint8_t source;
    std::uint8_t width;
    std::uint8_t memory;
};

void run_job(const Choices& choices, ByteView media) {
    constexpr std::uint64_t memory_step = 128 * limits::MiB;
    JobMessage order;
    order.task = static_cast<Task>(choices.task);
    order.source = static_cast<Source>(choices.source);
    order.width = 1 + choices.width * 16U;
    order.cpu_seconds = 2;
    order.wall_milliseconds = wall_milliseconds;
    order.memory_bytes = memory_step * (1 + choices.memory % 4);
    order.memory_bytes_limit = memory_step * 4;
    order.output_bytes = output_bytes_max;
    const Descriptor input = *sealed_memory_file("input", media);
    const Descriptor output = *make_memory_file("output");
    const auto answer = zygote().run(order, input, output);
    if (!answer) return;
    const std::string_view detail(answer->detail,
                                  ::strnlen(answer->detail, sizeof answer->detail - 1));
    note(detail, static_cast<std::uint64_t>(answer->verdict));
    if (answer->verdict == Verdict::need_memory) {
        ASSERT(answer->memory_bytes > order.memory_bytes);
        ASSERT(answer->memory_bytes <= order.memory_bytes_limit);
    }
    if (answer->verdict != Verdict::done) return;
    const bool is_jpeg = order.task == Task::jpeg || order.task == Task::preview;
    const std::size_t source = std::min<std::size_t>(choices.source, content_types.size() - 1);
    const auto checked = check_output(output, is_jpeg ? "image/jpeg" : content_types[source],
                                      answer->size_bytes, output_bytes_max);
    // A stripped JPEG may be one whose frame is nonsense.
    if (is_jpeg) ASSERT(checked.has_value());
    if (order.task == Task::preview) ASSERT(checked->width <= order.width);
}

}  // namespace

// The input: which of the two, then a message, or four choices of a job and its media.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t choices_bytes = 5;
    if (size < choices_bytes) return 0;
    const ByteView rest =
        ByteView(reinterpret_cast<const std::byte*>(data), size).subspan(choices_bytes);
    if (data[0] == 0xff) {
        send_message(rest, data[1]);
    } else {
        run_job({data[1], data[2], data[3], data[4]}, rest);
    }
    return 0;
}
