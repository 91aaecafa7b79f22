// Keep-alive connections that carry a job's requests, all on one thread.
#pragma once

#include "socket.hpp"
#include "work.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bench {

struct JobOptions {
    std::string name;  // The mode, as typed.
    WorkOptions work;
    Target target;
    std::size_t connections = 1;
    std::optional<std::uint64_t> count;  // Turns, at most.
    std::optional<double> seconds;       // No turn begins after it.
    // Turns begin at this pace, or as soon after as a connection is free, and are timed from when
    // they were due. Else each begins when the one before it on its connection has ended.
    std::optional<double> per_second;
};

struct JobResult {
    std::uint64_t requests = 0;  // Right answers; an upload's POST and PUT count as two.
    std::uint64_t turns = 0;
    std::uint64_t bytes_in = 0;   // Of answer bodies, those of cut answers included.
    std::uint64_t bytes_out = 0;  // Of request bodies that the work owns (PUT).
    std::uint64_t reconnects = 0;
    std::uint64_t wrong = 0;
    std::vector<std::string> messages;        // Of the first few wrong answers.
    std::vector<std::uint32_t> latencies_us;  // One per turn, unsorted.
    std::chrono::duration<double> elapsed{};  // First request to last answer.
    std::size_t open_at_end = 0;              // Connections.
};

// Opens every connection, then starts the clock and all jobs together. The run ends when the first
// job is done: its requests under way are waited for, those of the other jobs are cut. A job in
// idle mode asks once on each connection, prints "holding" on standard output, and is done when
// standard input ends.
std::vector<JobResult> run_jobs(const std::vector<JobOptions>& jobs);

}  // namespace bench
