#include "base/scheduling.hpp"

#include "base/limits.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>

namespace satchel {
namespace {

// sched_setattr(2), its first version. The C library has neither it nor the two calls yet, and the
// kernel's header of it cannot be included beside <sched.h>.
struct Attributes {
    std::uint32_t size;
    std::uint32_t policy;
    std::uint64_t flags;
    std::int32_t nice;
    std::uint32_t priority;
    std::uint64_t runtime;  // Of one turn; in ns.
    std::uint64_t deadline;
    std::uint64_t period;
};

bool set_turn() {
    Attributes attributes{};
    if (::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0) return false;
    if (attributes.policy != SCHED_OTHER) return false;  // What the operator chose stays.
    attributes.runtime = std::chrono::nanoseconds(limits::background_turn).count();
    return ::syscall(SYS_sched_setattr, 0, &attributes, 0) == 0;
}

bool has_several_cores() {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    return ::sched_getaffinity(0, sizeof cores, &cores) == 0 && CPU_COUNT(&cores) > 1;
}

// Not for longer than that: the kernel adds 50 us to the sleep of a thread that has not asked
// otherwise.
void rest() {
    [[maybe_unused]] thread_local const bool is_exact = ::prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0) == 0;
    constexpr std::chrono::nanoseconds length = limits::background_rest;
    const timespec time{.tv_sec = 0, .tv_nsec = length.count()};
    ::clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
}

}  // namespace

void take_short_turns() {
    [[maybe_unused]] thread_local const bool is_set = set_turn();
}

void lower_priority(int niceness) {
    // Of this thread alone, whatever the call's name says.
    if (::getpriority(PRIO_PROCESS, 0) < niceness) ::setpriority(PRIO_PROCESS, 0, niceness);
}

void give_way() {
    static const bool rests = has_several_cores();
    for (int i = 0; i < limits::turns_given_way; ++i) ::sched_yield();
    if (rests) rest();
}

}  // namespace satchel
