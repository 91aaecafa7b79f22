#include "base/scheduling.hpp"

#include "base/limits.hpp"

#include <sys/resource.h>
#include <sys/syscall.h>

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <thread>

#include <gtest/gtest.h>

namespace satchel {
namespace {

using namespace std::chrono_literals;

// Of the calling thread, in ns. 0: the kernel knows no turns.
std::uint64_t turn() {
    constexpr std::size_t runtime_at = 24;  // See sched_setattr(2).
    std::array<std::byte, 48> attributes{};
    std::uint64_t runtime = 0;
    if (::syscall(SYS_sched_getattr, 0, attributes.data(), attributes.size(), 0) != 0) return 0;
    std::memcpy(&runtime, attributes.data() + runtime_at, sizeof runtime);
    return runtime;
}

// The thread of a test, with what its process may do left as it is.
template <class Work>
void on_a_thread(Work work) {
    std::thread(work).join();
}

TEST(Scheduling, a_thread_takes_short_turns_where_the_kernel_knows_them) {
    on_a_thread([] {
        const std::uint64_t before = turn();
        const bool may_change = ::sched_getscheduler(0) == SCHED_OTHER;
        take_short_turns();
        take_short_turns();
        const auto wanted = std::chrono::nanoseconds(limits::background_turn).count();
        EXPECT_EQ(turn(), before == 0 || !may_change ? before : static_cast<std::uint64_t>(wanted));
    });
}

TEST(Scheduling, short_turns_change_neither_policy_nor_niceness) {
    on_a_thread([] {
        const int policy = ::sched_getscheduler(0);
        const int niceness = std::min(::getpriority(PRIO_PROCESS, 0) + 1, 19);
        ASSERT_EQ(::setpriority(PRIO_PROCESS, 0, niceness), 0);
        take_short_turns();
        EXPECT_EQ(::getpriority(PRIO_PROCESS, 0), niceness);
        EXPECT_EQ(::sched_getscheduler(0), policy);
    });
}

TEST(Scheduling, the_policy_that_an_operator_chose_stays) {
    on_a_thread([] {
        const sched_param none{};
        ASSERT_EQ(::sched_setscheduler(0, SCHED_BATCH, &none), 0);
        const std::uint64_t before = turn();
        take_short_turns();
        EXPECT_EQ(::sched_getscheduler(0), SCHED_BATCH);
        EXPECT_EQ(turn(), before);
    });
}

TEST(Scheduling, one_thread_has_a_lower_priority_and_none_a_higher_one) {
    const int ours = ::getpriority(PRIO_PROCESS, 0);
    const int lower = std::min(ours + 2, 19);
    on_a_thread([lower] {
        lower_priority(lower);
        EXPECT_EQ(::getpriority(PRIO_PROCESS, 0), lower);
        lower_priority(lower - 1);
        EXPECT_EQ(::getpriority(PRIO_PROCESS, 0), lower);
    });
    EXPECT_EQ(::getpriority(PRIO_PROCESS, 0), ours);
}

TEST(Scheduling, who_gives_way_rests_unless_there_is_one_core) {
    on_a_thread([] {
        const bool is_alone = std::thread::hardware_concurrency() == 1;
        const auto rest = is_alone ? 0us : std::chrono::microseconds(limits::background_rest);
        const auto began = std::chrono::steady_clock::now();
        give_way();
        EXPECT_GE(std::chrono::steady_clock::now() - began, rest);
    });
}

}  // namespace
}  // namespace satchel
