#include "media_child/confinement.hpp"

#include "base/limits.hpp"
#include "media/jail_protocol.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

namespace satchel::media {
namespace {

// <linux/landlock.h> of Debian 12 knows ABI 2; these are the kernel's, frozen.
struct LandlockAttributes {
    std::uint64_t file_system = 0;
    std::uint64_t network = 0;
    std::uint64_t scoped = 0;
};
constexpr unsigned landlock_create_version = 1;

// Everything that an ABI can forbid, so that a rule set without rules allows nothing.
LandlockAttributes everything(std::uint32_t abi) {
    LandlockAttributes all;
    unsigned file_rights = 13;
    if (abi >= 2) file_rights = 14;  // refer
    if (abi >= 3) file_rights = 15;  // truncate
    if (abi >= 5) file_rights = 16;  // ioctl on devices
    all.file_system = (std::uint64_t{1} << file_rights) - 1;
    if (abi >= 4) all.network = 3;  // TCP bind and connect
    if (abi >= 6) all.scoped = 3;   // abstract sockets and signals to the outside
    return all;
}

std::size_t attributes_size(std::uint32_t abi) {
    if (abi >= 6) return 24;
    return abi >= 4 ? 16 : 8;
}

bool forbid_paths() {
    const std::uint32_t abi = landlock_abi();
    if (abi == 0) return false;
    const LandlockAttributes all = everything(abi);
    const long rules = ::syscall(SYS_landlock_create_ruleset, &all, attributes_size(abi), 0);
    if (rules < 0) return false;
    const bool done = ::syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    ::close(static_cast<int>(rules));
    return done;
}

bool drop_capabilities() {
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    const std::array<__user_cap_data_struct, 2> none{};
    return ::syscall(SYS_capset, &header, none.data()) == 0 &&
           ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

bool set_limit(int which, std::uint64_t value) {
    const rlimit limit{.rlim_cur = value, .rlim_max = value};
    return ::setrlimit(static_cast<__rlimit_resource>(which), &limit) == 0;
}

bool set_limits(const JobBounds& bounds) {
    // The soft CPU limit ends the child by SIGXCPU, which says why; the hard one by SIGKILL.
    const rlimit cpu{.rlim_cur = bounds.cpu_seconds, .rlim_max = bounds.cpu_seconds + 1};
    return ::setrlimit(RLIMIT_CPU, &cpu) == 0 && set_limit(RLIMIT_AS, bounds.memory_bytes) &&
           set_limit(RLIMIT_FSIZE, bounds.output_bytes) &&
           set_limit(RLIMIT_NOFILE, limits::media_descriptors_max) && set_limit(RLIMIT_CORE, 0) &&
           set_limit(RLIMIT_MEMLOCK, 0) && set_limit(RLIMIT_MSGQUEUE, 0);
}

// What decoders and the C library need on open descriptors, memory, threads and time. Nothing
// here takes a path, but newfstatat, by which the C library does fstat().
constexpr auto allowed_calls = std::to_array<int>({
    SCMP_SYS(read),          SCMP_SYS(write),        SCMP_SYS(readv),
    SCMP_SYS(writev),        SCMP_SYS(pread64),      SCMP_SYS(pwrite64),
    SCMP_SYS(lseek),         SCMP_SYS(close),        SCMP_SYS(fstat),
    SCMP_SYS(munmap),        SCMP_SYS(mremap),       SCMP_SYS(madvise),
    SCMP_SYS(brk),           SCMP_SYS(futex),        SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),          SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),  SCMP_SYS(sigaltstack),  SCMP_SYS(restart_syscall),
    SCMP_SYS(exit),          SCMP_SYS(exit_group),   SCMP_SYS(getrandom),
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),     SCMP_SYS(gettimeofday), SCMP_SYS(sched_yield),
    SCMP_SYS(getpid),        SCMP_SYS(gettid),       SCMP_SYS(sched_getaffinity),
    SCMP_SYS(getrusage),     SCMP_SYS(sysinfo),      SCMP_SYS(uname),
});

struct FilterEnd {
    void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, FilterEnd>;

template <class... Conditions>
bool allow(const Filter& filter, int call, Conditions... conditions) {
    return seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, sizeof...(conditions),
                            conditions...) == 0;
}

bool allow_within_bounds(const Filter& filter) {
    constexpr auto masked = SCMP_CMP_MASKED_EQ;
    const auto own = static_cast<scmp_datum_t>(::getpid());
    return
        // Threads, never processes.
        allow(filter, SCMP_SYS(clone), scmp_arg_cmp{0, masked, CLONE_THREAD, CLONE_THREAD}) &&
        // No code but what was there before the first byte was read.
        allow(filter, SCMP_SYS(mmap), scmp_arg_cmp{2, masked, PROT_EXEC, 0}) &&
        allow(filter, SCMP_SYS(mprotect), scmp_arg_cmp{2, masked, PROT_EXEC, 0}) &&
        // abort() and the like.
        allow(filter, SCMP_SYS(tgkill), scmp_arg_cmp{0, SCMP_CMP_EQ, own, 0}) &&
        // Asking for a limit, not setting one.
        allow(filter, SCMP_SYS(prlimit64), scmp_arg_cmp{2, SCMP_CMP_EQ, 0, 0}) &&
        allow(filter, SCMP_SYS(newfstatat),
              scmp_arg_cmp{3, masked, AT_EMPTY_PATH, AT_EMPTY_PATH}) &&
        allow(filter, SCMP_SYS(fcntl), scmp_arg_cmp{1, SCMP_CMP_EQ, F_GETFL, 0}) &&
        allow(filter, SCMP_SYS(fcntl), scmp_arg_cmp{1, SCMP_CMP_EQ, F_GETFD, 0}) &&
        allow(filter, SCMP_SYS(fcntl), scmp_arg_cmp{1, SCMP_CMP_EQ, F_DUPFD_CLOEXEC, 0}) &&
        allow(filter, SCMP_SYS(dup));
}

bool filter_calls() {
    // Refused, not killed: libraries look for configuration they can do without.
    const Filter filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)));
    if (!filter) return false;
    // The C library takes clone() if clone3(), whose flags no filter can read, is not there.
    if (seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) != 0) {
        return false;
    }
    for (const int call : allowed_calls) {
        if (!allow(filter, call)) return false;
    }
    return allow_within_bounds(filter) && seccomp_load(filter.get()) == 0;
}

}  // namespace

std::uint32_t landlock_abi() {
    const long abi =
        ::syscall(SYS_landlock_create_ruleset, nullptr, std::size_t{0}, landlock_create_version);
    return abi > 0 ? static_cast<std::uint32_t>(abi) : 0;
}

std::uint32_t confine_zygote() {
    std::uint32_t walls = 0;
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC) == 0) {
        walls |= jail::network_namespace;
    }
    if (drop_capabilities()) walls |= jail::no_privileges;
    return walls;
}

std::uint32_t confine_job(const JobBounds& bounds) {
    std::uint32_t walls = 0;
    if (set_limits(bounds)) walls |= jail::resource_limits;
    if (forbid_paths()) walls |= jail::landlock;
    if (filter_calls()) walls |= jail::seccomp;
    return walls;
}

}  // namespace satchel::media
