// The process that forks a confined child for each job. It starts with everything loaded that a
// child may need, and never reads a byte of any input.
#pragma once

#include "media/jail_protocol.hpp"

namespace satchel::media {

// In the child, confined. Reads `input` from its beginning and writes `output`; both are open
// memory files.
using Job = jail::Answer (*)(const jail::JobMessage& order, int input, int output);

// Descriptors of this process that every child has, too: with consecutive numbers.
struct KeptDescriptors {
    int first = 0;
    unsigned count = 0;
};

// Takes orders from `channel` until the server closes it; then ends what still runs. Single
// threaded. The exit status of the process.
int run_zygote(int channel, Job job, KeptDescriptors kept = {});

}  // namespace satchel::media
