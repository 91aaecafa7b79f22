#include "media/bubblewrap.hpp"

#include "base/limits.hpp"
#include "media/memory_file.hpp"
#include "media/system_call_filter.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace satchel::media {
namespace {

using LoopTimer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                             asio::wait_traits<std::chrono::steady_clock>,
                                             Loop::executor_type>;
using LoopDescriptor = asio::posix::basic_stream_descriptor<Loop::executor_type>;

#if defined(__x86_64__)
constexpr const char* library_folder = "/usr/lib/x86_64-linux-gnu";
#elif defined(__aarch64__)
constexpr const char* library_folder = "/usr/lib/aarch64-linux-gnu";
#else
#error "say where the libraries of this architecture are"
#endif

constexpr int filter_number = 5;  // In the jail, until bwrap has read it.
constexpr int numbers_used = 6;
constexpr int nobody = 65'534;
// bwrap ends with 128 and the signal that ended its child.
constexpr int signal_status = 128;

std::unexpected<Error> refused(const char* what, int error) {
    return fail(Errc::unavailable, std::string(what) + ": " + std::strerror(error));
}

// `--core=1`: less than any core file, and the one value that also keeps the kernel from handing
// the memory to a crash collector.
std::vector<std::string> limit_arguments(const JailSetup& setup) {
    return {
        // By a program that becomes the next one: what is set from outside may come too late.
        setup.nice,
        "-n",
        std::to_string(limits::media_job_niceness),
        setup.prlimit,
        "--as=" + std::to_string(limits::media_job_memory_bytes_max),
        "--data=" + std::to_string(setup.data_bytes_max),
        "--cpu=" + std::to_string(setup.cpu_max.count()),
        "--fsize=" + std::to_string(limits::media_output_bytes_max),
        "--nofile=" + std::to_string(limits::ffmpeg_descriptors_max),
        "--core=1",
        "--memlock=0",
        "--msgqueue=0",
        "--",
    };
}

void add_read_only(std::vector<std::string>& words, const char* how, const std::string& path) {
    words.insert(words.end(), {how, path, path});
}

std::vector<std::string> command_line(const JailSetup& setup,
                                      const std::string& program,
                                      const std::vector<std::string>& arguments) {
    std::vector<std::string> words = limit_arguments(setup);
    words.insert(words.end(), {
                                  setup.bwrap,
                                  "--unshare-all",
                                  "--unshare-user",
                                  "--uid",
                                  std::to_string(nobody),
                                  "--gid",
                                  std::to_string(nobody),
                                  "--cap-drop",
                                  "ALL",
                                  "--clearenv",
                                  "--die-with-parent",
                                  "--as-pid-1",
                                  "--seccomp",
                                  std::to_string(filter_number),
                              });
    add_read_only(words, "--ro-bind", library_folder);
    // Where programs expect the loader, on x86-64 and on ARM.
    add_read_only(words, "--ro-bind-try", "/usr/lib64");
    add_read_only(words, "--ro-bind-try", "/usr/lib/ld-linux-aarch64.so.1");
    add_read_only(words, "--ro-bind-try", "/etc/ld.so.cache");
    add_read_only(words, "--ro-bind-try", "/etc/alternatives");
    for (const std::string& path : setup.also_visible) add_read_only(words, "--ro-bind", path);
    add_read_only(words, "--ro-bind", program);
    words.insert(words.end(), {
                                  "--symlink",
                                  "usr/lib",
                                  "/lib",
                                  "--symlink",
                                  "usr/lib64",
                                  "/lib64",
                                  "--proc",
                                  "/proc",
                                  "--remount-ro",
                                  "/",
                                  "--chdir",
                                  "/",
                                  "--",
                                  program,
                              });
    words.insert(words.end(), arguments.begin(), arguments.end());
    return words;
}

// Where each descriptor goes. Copies high up come first, since a source may have the number that
// another one is going to have.
class DescriptorPlan {
public:
    DescriptorPlan() { posix_spawn_file_actions_init(&actions_); }
    ~DescriptorPlan() { posix_spawn_file_actions_destroy(&actions_); }
    DescriptorPlan(const DescriptorPlan&) = delete;
    DescriptorPlan& operator=(const DescriptorPlan&) = delete;

    Result<> place(int source, int number) {
        if (source < 0) return {};
        Descriptor copy(::fcntl(source, F_DUPFD_CLOEXEC, numbers_used));
        if (!copy) return refused("fcntl", errno);
        posix_spawn_file_actions_adddup2(&actions_, copy.number(), number);
        copies_.push_back(std::move(copy));
        return {};
    }
    void close_others() { posix_spawn_file_actions_addclosefrom_np(&actions_, numbers_used); }
    const posix_spawn_file_actions_t* actions() const { return &actions_; }

private:
    posix_spawn_file_actions_t actions_;
    std::vector<Descriptor> copies_;
};

// A group of its own, so that one kill() reaches all of it, and signals as a new program expects
// them. Not a session of its own: Linux shares a core out among sessions first (autogroup), and
// there a low priority would count for nothing against the server's. No terminal of the server's
// session is within the jail's reach: it has no /dev and no descriptor of one.
Result<pid_t> spawn(std::vector<std::string> words, const DescriptorPlan& plan) {
    std::vector<char*> pointers;
    pointers.reserve(words.size() + 1);
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);

    sigset_t none{};
    sigset_t all{};
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    std::array<char*, 1> no_environment{nullptr};
    pid_t process = -1;
    const int error = ::posix_spawn(&process, pointers[0], plan.actions(), &attributes,
                                    pointers.data(), no_environment.data());
    posix_spawnattr_destroy(&attributes);
    if (error != 0) return refused(words[0].c_str(), error);
    return process;
}

JailExit judge(int status) {
    const int number = WIFEXITED(status) ? WEXITSTATUS(status) : signal_status + WTERMSIG(status);
    if (number == signal_status + SIGKILL || number == signal_status + SIGXCPU) {
        return {JailEnd::overtime, number - signal_status};
    }
    if (number > signal_status && number < signal_status + SIGRTMIN) {
        return {JailEnd::crashed, number - signal_status};
    }
    return {JailEnd::exited, number};
}

}  // namespace

Result<Jail> Jail::start(const JailSetup& setup,
                         const std::string& program,
                         const std::vector<std::string>& arguments,
                         JailDescriptors descriptors) {
    TRY(const Descriptor filter, make_system_call_filter());
    const Descriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!nothing) return refused("/dev/null", errno);
    DescriptorPlan plan;
    CHECK(plan.place(nothing.number(), STDIN_FILENO));
    CHECK(plan.place(descriptors.log, STDOUT_FILENO));
    CHECK(plan.place(descriptors.log, STDERR_FILENO));
    // A number without a descriptor is not to be one of the server's.
    CHECK(plan.place(descriptors.input < 0 ? nothing.number() : descriptors.input, 3));
    CHECK(plan.place(descriptors.output < 0 ? nothing.number() : descriptors.output, 4));
    CHECK(plan.place(filter.number(), filter_number));
    plan.close_others();
    TRY(const pid_t process, spawn(command_line(setup, program, arguments), plan));
    Jail jail(process, Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, process, 0))),
              std::chrono::steady_clock::now() + setup.wall_max);
    if (!jail.handle_) return refused("pidfd_open", errno);
    return jail;
}

Jail::Jail(Jail&& other) noexcept
    : process_(std::exchange(other.process_, -1)),
      handle_(std::move(other.handle_)),
      deadline_(other.deadline_) {}

Jail::~Jail() {
    if (process_ > 0) kill_and_reap();
}

// The group is killed even if its leader has ended: its number is not given to another before the
// leader is reaped.
int Jail::kill_and_reap() {
    ::kill(-process_, SIGKILL);
    int status = 0;
    while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
    }
    process_ = -1;
    return status;
}

Async<JailExit> Jail::wait(std::function<bool()> stop_early) {
    using boost::asio::experimental::awaitable_operators::operator||;
    const Loop::executor_type home = co_await asio::this_coro::executor;
    LoopDescriptor ended(home);
    boost::system::error_code failed;
    Descriptor watched(::fcntl(handle_.number(), F_DUPFD_CLOEXEC, 0));
    ended.assign(watched.number(), failed);
    if (failed) co_return fail(Errc::unavailable, "pidfd: " + failed.message());
    static_cast<void>(watched.release());
    LoopTimer look(home);
    while (true) {
        look.expires_after(limits::ffmpeg_look_interval);
        const auto first = co_await (ended.async_wait(LoopDescriptor::wait_read, use_task) ||
                                     look.async_wait(use_task));
        if (first.index() == 0) co_return judge(kill_and_reap());
        if (stop_early()) {
            kill_and_reap();
            co_return JailExit{JailEnd::stopped, 0};
        }
        if (std::chrono::steady_clock::now() >= deadline_) {
            kill_and_reap();
            co_return JailExit{JailEnd::overtime, 0};
        }
    }
}

Result<Descriptor> make_log_file(std::size_t bytes) {
    TRY(Descriptor file, make_memory_file("jail log"));
    if (::ftruncate(file.number(), static_cast<off_t>(bytes)) != 0) {
        return refused("ftruncate", errno);
    }
    if (::fcntl(file.number(), F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) != 0) {
        return refused("sealing a log", errno);
    }
    return file;
}

Result<std::string> read_log(const Descriptor& file) {
    TRY(const std::uint64_t size, size_of(file));
    std::string text(size, '\0');
    CHECK(read_at(file, std::as_writable_bytes(std::span(text)), 0));
    text.resize(text.find_last_not_of('\0') + 1);
    return text;
}

}  // namespace satchel::media
