// The running `satchel-media`: its start, its channel, its end.
#pragma once

#include "base/async.hpp"
#include "base/descriptor.hpp"
#include "media/jail_protocol.hpp"

#include <sys/types.h>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <array>
#include <span>
#include <string>
#include <string_view>

namespace satchel::media {

// The path of a program in the folder of the one that runs; `name` alone if that is not known.
std::string program_beside_this(std::string_view name);

// Used on one loop. Destroying it kills the process, and with it every job in it.
class ZygoteProcess {
public:
    // Errc::unavailable if it cannot be started.
    static Result<ZygoteProcess> start(const Loop::executor_type& loop, const std::string& program);
    ~ZygoteProcess();
    ZygoteProcess(ZygoteProcess&&) = default;
    ZygoteProcess& operator=(ZygoteProcess&&) = delete;

    // `descriptors` stay the caller's. Errc::unavailable if the process has gone.
    Async<> send(const jail::JobMessage& message, std::span<const int> descriptors);
    // Without waiting; what does not fit is dropped.
    void send_now(const jail::JobMessage& message);

    // The next message, by its size the one or the other. Errc::unavailable once it has gone,
    // Errc::internal for what is neither.
    struct Message {
        jail::Kind kind;
        jail::Hello hello;
        jail::Ended ended;
    };
    Async<Message> receive();

    void kill() const;

private:
    using Channel = asio::posix::basic_stream_descriptor<Loop::executor_type>;
    ZygoteProcess(Channel channel, pid_t process)
        : channel_(std::move(channel)), process_(process) {}
    bool try_send(const jail::JobMessage& message, std::span<const int> descriptors);

    // Moved from, it owns nothing.
    struct Pid {
        explicit Pid(pid_t p) : number(p) {}
        Pid(Pid&& other) noexcept : number(std::exchange(other.number, 0)) {}
        pid_t number;
    };

    Channel channel_;
    Pid process_;
};

}  // namespace satchel::media
