#include "base/scheduling.hpp"

#include <sys/resource.h>

#include <sched.h>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace satchel {
namespace {

TEST(Scheduling, short_turns_change_neither_policy_nor_niceness) {
    std::thread([] {
        ASSERT_EQ(::setpriority(PRIO_PROCESS, 0, 7), 0);
        take_short_turns();
        take_short_turns();
        EXPECT_EQ(::getpriority(PRIO_PROCESS, 0), 7);
        EXPECT_EQ(::sched_getscheduler(0), SCHED_OTHER);
    }).join();
}

TEST(Scheduling, the_policy_that_an_operator_chose_stays) {
    std::thread([] {
        const sched_param none{};
        ASSERT_EQ(::sched_setscheduler(0, SCHED_BATCH, &none), 0);
        take_short_turns();
        EXPECT_EQ(::sched_getscheduler(0), SCHED_BATCH);
    }).join();
}

// On one core the other thread could not end before.
TEST(Scheduling, others_run_while_a_thread_gives_way) {
    cpu_set_t before;
    ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu) {
        if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
    }
    std::thread([&one] {
        ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
        take_short_turns();
        std::atomic<bool> done = false;
        std::thread other([&done] { done = true; });  // Has its parent's core.
        while (!done) give_way();
        other.join();
    }).join();
}

}  // namespace
}  // namespace satchel
