// How work that no short request waits for shares a core with the loops. Hints to the kernel:
// nothing here fails, and where it does not know them, threads take the turns that it gives them.
// Thread-safe.
#pragma once

namespace satchel {

// From here on the calling thread runs in turns of limits::background_turn instead of the kernel's
// own few milliseconds, for good, with the same share of the core in all (Linux 6.12 and later).
// Again: costs nothing.
void take_short_turns();

// The niceness of the calling thread, 0 to 19, for good; threads and processes that it starts from
// here on inherit it. One below that which it has changes nothing.
void lower_priority(int niceness);

// Lets whoever waits for this core go first, for about limits::turns_given_way of the calling
// thread's turns. Where the process has several cores it then sleeps for limits::background_rest,
// so that a thread that wakes finds one free; on a single one the sleep would only give the calling
// thread the claim to go first when it is over. Between pieces of work of 20 to 200 us.
void give_way();

}  // namespace satchel
