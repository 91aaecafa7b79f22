// The command line of the load generator.
#pragma once

#include "client.hpp"

#include <span>
#include <vector>

namespace bench {

// JOB [+ JOB]...; ends the program when it makes no sense.
std::vector<JobOptions> parse_jobs(std::span<char* const> arguments);

}  // namespace bench
