// A media child that has been taken over. The input names what it tries; the zygote, the walls
// and the channel are those of satchel-media. An attempt that succeeds is answered as done, with
// a valid JPEG, so that the parent hands it out; one that fails, as cannot_decode "denied: why".
#include "media_child/zygote.hpp"

#include <fcntl.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace satchel::media {
namespace {

using namespace std::string_view_literals;

constexpr int output_descriptor = 4;
constexpr int answer_descriptor = 5;
// SOI, a frame header of 1 x 1 pixels, EOI: as much of a JPEG as the server looks at.
constexpr std::string_view jpeg = "\xff\xd8\xff\xc0\0\x0b\x08\0\x01\0\x01\x01\x01\x11\0\xff\xd9"sv;

bool opens_socket(int family, int type) {
    return ::socket(family, type, 0) >= 0;
}

bool forks() {
    const pid_t process = ::fork();
    if (process == 0) ::_exit(0);
    return process > 0;
}

bool executes() {
    char shell[] = "/bin/true";
    char* arguments[] = {shell, nullptr};
    char* environment[] = {nullptr};
    ::execve(shell, arguments, environment);
    return false;
}

bool executes_memory() {
    return ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                  -1, 0) != MAP_FAILED;
}

bool allocates(std::size_t bytes, int kind) {
    void* const memory =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return false;
    std::memset(memory, 1, bytes);
    return true;
}

bool fills_memory() {
    std::size_t total = 0;
    // Volatile, lest the compiler leave out what nobody reads.
    while (volatile char* const block = static_cast<char*>(std::malloc(std::size_t{1} << 20))) {
        for (std::size_t i = 0; i < std::size_t{1} << 20; i += 4096) block[i] = 1;
        if ((total += std::size_t{1} << 20) > std::size_t{1} << 30) return true;
    }
    return false;
}

bool writes_for_ever(int output) {
    const std::vector<char> block(std::size_t{1} << 20);
    std::size_t total = 0;
    ssize_t written = 0;
    while ((written = ::write(output, block.data(), block.size())) > 0) {
        if ((total += static_cast<std::size_t>(written)) > std::size_t{1} << 30) return true;
    }
    return false;
}

bool raises_limits() {
    const rlimit none{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    return ::setrlimit(RLIMIT_AS, &none) == 0 || ::setrlimit(RLIMIT_CPU, &none) == 0;
}

bool opens_many() {
    int last = 0;
    for (int i = 0; i < 64; ++i) last = std::max(last, ::dup(0));
    return last >= 60;
}

bool finds_descriptors_of_others() {
    for (int number = answer_descriptor + 1; number < 1024; ++number) {
        if (::fcntl(number, F_GETFD) >= 0) return true;
    }
    return false;
}

[[noreturn]] void spin() {
    ::signal(SIGXCPU, SIG_IGN);
    for (volatile unsigned long turns = 0;;) turns = turns + 1;
}

[[noreturn]] void never_answer() {
    while (true) ::sleep(1000);
}

using Attempt = bool (*)(int output);

// clang-format off
const std::map<std::string_view, Attempt> attempts{
    {"tcp socket", [](int) { return opens_socket(AF_INET, SOCK_STREAM); }},
    {"udp socket", [](int) { return opens_socket(AF_INET6, SOCK_DGRAM); }},
    {"unix socket", [](int) { return opens_socket(AF_UNIX, SOCK_STREAM); }},
    {"netlink socket", [](int) { return opens_socket(AF_NETLINK, SOCK_RAW); }},
    {"read a file", [](int) { return ::open("/etc/passwd", O_RDONLY) >= 0; }},
    {"read its memory map", [](int) { return ::open("/proc/self/maps", O_RDONLY) >= 0; }},
    {"open a folder", [](int) { return ::open("/", O_PATH) >= 0; }},
    {"write a file", [](int) { return ::open("/tmp/satchel-jail-broken", O_CREAT | O_WRONLY, 0600) >= 0; }},
    {"make a folder", [](int) { return ::mkdir("/tmp/satchel-jail-broken", 0700) == 0; }},
    {"remove a file", [](int) { return ::unlink("/tmp/satchel-jail") == 0 || errno == ENOENT; }},
    {"fork", [](int) { return forks(); }},
    {"vfork by clone3", [](int) { long args[11] = {0x4100}; return ::syscall(SYS_clone3, args, sizeof args) >= 0; }},
    {"exec", [](int) { return executes(); }},
    {"make code", [](int) { return executes_memory(); }},
    {"trace the zygote", [](int) { return ::ptrace(PTRACE_ATTACH, ::getppid(), nullptr, nullptr) == 0; }},
    {"kill the zygote", [](int) { return ::kill(::getppid(), SIGKILL) == 0; }},
    {"read memory of the zygote", [](int) { return ::syscall(SYS_process_vm_readv, ::getppid(), nullptr, 0, nullptr, 0, 0) == 0; }},
    {"take a namespace", [](int) { return ::unshare(CLONE_NEWUSER) == 0; }},
    {"change the root", [](int) { return ::chroot("/") == 0; }},
    {"become root", [](int) { return ::setuid(0) == 0; }},
    {"use io_uring", [](int) { char parameters[256] = {}; return ::syscall(SYS_io_uring_setup, 1, parameters) >= 0; }},
    {"load bpf", [](int) { return ::syscall(SYS_bpf, 0, nullptr, 0) == 0 || errno == EINVAL; }},
    {"more memory files", [](int) { return ::memfd_create("more", 0) >= 0; }},
    {"allocate 1 GiB", [](int) { return allocates(std::size_t{1} << 30, MAP_PRIVATE); }},
    {"share 1 GiB", [](int) { return allocates(std::size_t{1} << 30, MAP_SHARED); }},
    {"fill memory", [](int) { return fills_memory(); }},
    {"write for ever", [](int output) { return writes_for_ever(output); }},
    {"grow the output", [](int output) { return ::ftruncate(output, 1L << 40) == 0; }},
    {"change the input", [](int) { return ::pwrite(3, "x", 1, 0) == 1; }},
    {"raise its limits", [](int) { return raises_limits(); }},
    {"open many", [](int) { return opens_many(); }},
    {"find descriptors of others", [](int) { return finds_descriptors_of_others(); }},
    // These do not come back.
    {"spin", [](int) -> bool { spin(); }},
    {"never answer", [](int) -> bool { never_answer(); }},
    {"crash", [](int) -> bool { ::raise(SIGSEGV); std::abort(); }},
    {"exit", [](int) -> bool { ::_exit(0); }},
    {"exit badly", [](int) -> bool { ::_exit(3); }},
};

struct Lie {
    std::string_view output = jpeg;
    std::uint64_t size_bytes = jpeg.size();
    std::uint64_t memory_bytes = 0;
    jail::Verdict verdict = jail::Verdict::done;
};

constexpr std::uint64_t huge = ~std::uint64_t{0};
const std::map<std::string_view, Lie> lies{
    {"say too much", {.size_bytes = jpeg.size() + 1}},
    {"say too little", {.size_bytes = jpeg.size() - 1}},
    {"say huge", {.size_bytes = huge}},
    {"give nothing", {.output = "", .size_bytes = 0}},
    {"give a page", {.output = "<html>\xff\xd9"sv, .size_bytes = 8}},
    {"give half a JPEG", {.output = "\xff\xd8\xff\xe0\xff\xff", .size_bytes = 6}},
    {"give a JPEG without frames", {.output = "\xff\xd8\xff\xe0\0\x02\xff\xd9"sv, .size_bytes = 8}},
    {"say an unknown verdict", {.verdict = static_cast<jail::Verdict>(77)}},
    {"ask for all memory", {.memory_bytes = huge, .verdict = jail::Verdict::need_memory}},
    {"ask for no memory", {.memory_bytes = 0, .verdict = jail::Verdict::need_memory}},
};
// clang-format on

jail::Answer misbehave(const jail::JobMessage& order, int input, int output) {
    char text[64] = {};
    const ssize_t length = ::read(input, text, sizeof text - 1);
    const std::string_view mode(text, length > 0 ? static_cast<std::size_t>(length) : 0);
    jail::Answer answer;
    answer.job = order.job;
    if (mode == "behave") {
        answer.verdict = jail::Verdict::done;
    } else if (mode == "answer for another") {
        answer.verdict = jail::Verdict::done;
        answer.job = order.job + 1;
    } else if (mode == "answer twice") {
        answer.verdict = jail::Verdict::done;
        static_cast<void>(::write(answer_descriptor, &answer, sizeof answer / 2));
    } else if (const auto lie = lies.find(mode); lie != lies.end()) {
        static_cast<void>(::write(output, lie->second.output.data(), lie->second.output.size()));
        answer.size_bytes = lie->second.size_bytes;
        answer.memory_bytes = lie->second.memory_bytes;
        answer.verdict = lie->second.verdict;
        return answer;
    } else if (const auto attempt = attempts.find(mode); attempt != attempts.end()) {
        errno = 0;
        if (attempt->second(output)) answer.verdict = jail::Verdict::done;
        if (answer.verdict != jail::Verdict::done) {
            std::snprintf(answer.detail, sizeof answer.detail, "denied: %s", std::strerror(errno));
            return answer;
        }
    } else {
        std::snprintf(answer.detail, sizeof answer.detail, "unknown mode");
        return answer;
    }
    static_cast<void>(::pwrite(output_descriptor, jpeg.data(), jpeg.size(), 0));
    answer.size_bytes = jpeg.size();
    return answer;
}

}  // namespace
}  // namespace satchel::media

int main() {
    return satchel::media::run_zygote(satchel::media::jail::channel_descriptor,
                                      satchel::media::misbehave);
}
