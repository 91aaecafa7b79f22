// What the server and `satchel-media` say to each other over a SOCK_SEQPACKET pair, one struct a
// message. Both come from one build and run on one machine: the version guards against a mixed
// installation, and nothing here outlives the two processes.
//
//   zygote -> server   Hello, once, when it can take orders
//   server -> zygote   JobMessage `run` with three descriptors: input, output, answer pipe
//   server -> zygote   JobMessage `cancel`
//   child  -> server   Answer, through the pipe; believed in nothing
//   zygote -> server   Ended, once for each `run`, when the child is gone
#pragma once

#include <cstddef>
#include <cstdint>

namespace satchel::media::jail {

inline constexpr std::uint32_t protocol_version = 1;
inline constexpr int channel_descriptor = 3;  // Of the zygote.
inline constexpr std::size_t job_descriptors = 3;
// Exit status of a child that could not be confined and did nothing.
inline constexpr int status_without_walls = 120;

// What a confinement consists of. A kernel may lack some of it.
enum Wall : std::uint32_t {
    network_namespace = 1,  // A network without interfaces.
    landlock = 2,           // No path can be opened, whatever its permissions.
    seccomp = 4,            // No system calls but those of a decoder.
    resource_limits = 8,
    no_privileges = 16,  // No capabilities, none to be had by exec.
};
inline constexpr std::uint32_t all_walls = 31;
// Without these no job runs.
inline constexpr std::uint32_t needed_walls = seccomp | resource_limits | no_privileges;

enum class Kind : std::uint32_t { hello = 1, run, cancel, ended };

enum class Task : std::uint32_t { jpeg = 1, preview, strip };

enum class Source : std::uint32_t { jpeg = 1, png, gif, tiff, heif, webp, pdf };

struct Hello {
    Kind kind = Kind::hello;
    std::uint32_t version = protocol_version;
    std::uint32_t walls = 0;
    std::uint32_t landlock_abi = 0;  // 0: none.
};

struct JobMessage {
    Kind kind = Kind::run;
    std::uint32_t version = protocol_version;
    std::uint64_t job = 0;
    Task task = Task::jpeg;
    Source source = Source::jpeg;
    std::uint32_t width = 0;  // Pixels, of a preview.
    std::uint32_t cpu_seconds = 0;
    std::uint64_t wall_milliseconds = 0;
    std::uint64_t memory_bytes = 0;        // Enforced.
    std::uint64_t memory_bytes_limit = 0;  // What it may ask for instead (need_memory).
    std::uint64_t output_bytes = 0;        // Enforced.
};

enum class Verdict : std::uint32_t {
    done = 1,
    cannot_decode,
    too_large,    // By its header.
    need_memory,  // More than it was given, by its header: Answer::memory_bytes.
};

struct Answer {
    std::uint32_t version = protocol_version;
    Verdict verdict = Verdict::cannot_decode;
    std::uint64_t job = 0;
    std::uint64_t size_bytes = 0;
    std::uint64_t memory_bytes = 0;
    char detail[160] = {};
};

enum class How : std::uint32_t {
    exited = 1,   // With `number` as its status.
    killed,       // By signal `number`.
    out_of_cpu,   // By the CPU limit.
    out_of_time,  // By the zygote, at its wall time.
    not_started,  // The system refused; `number` is errno.
};

struct Ended {
    Kind kind = Kind::ended;
    std::uint32_t version = protocol_version;
    std::uint64_t job = 0;
    How how = How::exited;
    std::int32_t number = 0;
    std::uint64_t peak_memory_kib = 0;
    std::uint64_t cpu_microseconds = 0;
};

}  // namespace satchel::media::jail
