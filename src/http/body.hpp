// The body of one request on its connection: bytes that came with the head first, then the rest.
#pragma once

#include "http/head.hpp"
#include "http/message.hpp"
#include "http/stream.hpp"

#include <memory>
#include <string>

namespace satchel::http {

class ConnectionBody : public Body {
public:
    // `buffered`: what was read behind the head; must stay unchanged while this lives.
    ConnectionBody(Stream& stream, const Head& head, std::string_view buffered);
    ~ConnectionBody() override;

    Async<std::size_t> read(std::span<std::byte> target) override;
    Async<std::size_t> fill(std::span<std::byte> target) override;
    Async<std::string> read_all(std::size_t max) override;

    bool is_complete() const { return complete_; }
    // Bytes that are still to come; nullopt when only the body's end will tell.
    std::optional<std::uint64_t> remaining() const;
    // A read has failed: what comes next on the connection is not a request.
    bool has_failed() const { return failed_; }
    // The client waits for a 100 Continue that was never sent.
    bool is_awaited() const { return expects_continue_; }
    // How much of `buffered` belonged to this body.
    std::size_t buffered_used() const { return used_; }

    // Reads what is left of a short body. False if there is more than `max` or it does not come.
    Task<bool> drain(std::size_t max);

private:
    Async<std::size_t> read_next(std::span<std::byte> target);
    Async<> send_continue();
    Async<std::size_t> read_raw(std::span<std::byte> target);
    Async<std::size_t> read_chunked(std::span<std::byte> target);

    class Dechunker;
    Stream& stream_;
    std::string_view buffered_;
    std::size_t used_ = 0;
    std::uint64_t remaining_ = 0;  // Unless chunked.
    std::unique_ptr<Dechunker> dechunker_;
    bool expects_continue_ = false;
    bool complete_ = false;
    bool failed_ = false;
};

}  // namespace satchel::http
