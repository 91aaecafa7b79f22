// One program in one bubblewrap jail: no network, no new processes, an empty read-only root with
// the program and the system's libraries, no environment, no capabilities, another user id, and
// resource limits (base/limits.hpp), at the lowest priority. Bytes go in and out as descriptors
// alone.
//
// Every part is demanded: where the kernel lacks one, bwrap fails and says so in the log.
#pragma once

#include "base/async.hpp"
#include "base/descriptor.hpp"
#include "base/limits.hpp"

#include <sys/types.h>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace satchel::media {

struct JailSetup {
    std::string nice = "/usr/bin/nice";
    std::string prlimit = "/usr/bin/prlimit";
    std::string bwrap = "/usr/bin/bwrap";
    std::string ffmpeg = "/usr/bin/ffmpeg";
    // Further files and folders that ffmpeg needs to see, for one that is not the system's.
    std::vector<std::string> also_visible;
    std::uint64_t data_bytes_max = limits::ffmpeg_film_memory_bytes_max;
    std::chrono::seconds cpu_max = limits::media_job_cpu_max;
    std::chrono::milliseconds wall_max = limits::media_job_wall_max;
};

// Where the jailed program finds its descriptors.
inline constexpr const char* jail_input = "file:/proc/self/fd/3";
inline constexpr const char* jail_output = "file:/proc/self/fd/4";

struct JailDescriptors {
    int input = -1;   // Number 3 in the jail. -1: none.
    int output = -1;  // Number 4.
    int log = -1;     // Standard output and standard error.
};

enum class JailEnd : std::uint8_t {
    exited,    // By itself; JailExit::status is its exit status.
    crashed,   // By a signal, JailExit::status.
    overtime,  // More CPU or wall time than its limits, or stopped by the system for memory.
    stopped,   // By the caller.
};

struct JailExit {
    JailEnd end = JailEnd::exited;
    int status = 0;
};

// A running jail. Used on the loop that it was started on. The thread that starts it must not end
// before the jail does. Its end, however it comes, takes every process in the jail with it: that
// of this object, of this process or of the jailed program.
class Jail {
public:
    // Errc::unavailable if it cannot be started. Descriptors stay the caller's.
    static Result<Jail> start(const JailSetup& setup,
                              const std::string& program,
                              const std::vector<std::string>& arguments,
                              JailDescriptors descriptors);
    Jail(Jail&& other) noexcept;
    Jail& operator=(Jail&&) = delete;
    ~Jail();

    // Waits for the end, at most JailSetup::wall_max from the start. `stop_early` is asked every
    // limits::ffmpeg_look_interval. Errc::unavailable if the system cannot wait.
    Async<JailExit> wait(std::function<bool()> stop_early);

private:
    using Deadline = std::chrono::steady_clock::time_point;
    Jail(pid_t process, Descriptor handle, Deadline deadline)
        : process_(process), handle_(std::move(handle)), deadline_(deadline) {}
    int kill_and_reap();

    pid_t process_ = -1;  // Of bwrap, leader of a group in which all its children are; -1: ended.
    Descriptor handle_;   // Its pidfd.
    Deadline deadline_;
};

// Sealed at `bytes`: what is written beyond is lost, which no program minds in its log.
Result<Descriptor> make_log_file(std::size_t bytes);
// What was written to it.
Result<std::string> read_log(const Descriptor& file);

}  // namespace satchel::media
