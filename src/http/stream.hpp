// One accepted connection as bytes in and out, plain or TLS, with a deadline on every wait.
#pragma once

#include "base/async.hpp"
#include "base/bytes.hpp"

#include <openssl/ssl.h>
#include <sys/uio.h>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace satchel::http {

using Socket = asio::basic_stream_socket<asio::ip::tcp, Loop::executor_type>;
using SteadyTime = std::chrono::steady_clock::time_point;

// Used on its loop only. System calls are tried first and waited for only when they would
// block, so that a busy connection costs no more than its reads and writes.
class Stream {
public:
    // `tls` may be null. The context must outlive the stream.
    Stream(Socket socket, SSL_CTX* tls);
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    // The TLS handshake, if there is one to do.
    Async<> handshake(std::chrono::steady_clock::duration patience);

    // Waits until something can be read (or the peer is gone).
    Async<> wait_readable(std::chrono::steady_clock::duration patience);

    // At least one byte, or 0 at the end of the stream. Errc::timed_out, Errc::invalid_argument
    // (the peer broke the connection).
    Async<std::size_t> read_some(std::span<std::byte> target,
                                 std::chrono::steady_clock::duration patience);
    // All of it. `patience` is renewed with every byte that goes out.
    Async<> write(std::span<const ByteView> pieces, std::chrono::steady_clock::duration patience);

    // Says that no more will be written.
    void finish_writing();

    // From now on write() fails, before anything more is handed to the system, once `withdrawn`
    // is true. Null: nothing to watch. What is watched must outlive the writes.
    void watch(const std::atomic<bool>* withdrawn) { withdrawn_ = withdrawn; }
    // The end of the connection drops what the system has not sent yet, and the peer sees an
    // error instead of an end.
    void reset_at_end();

    // For whoever watches over deadlines.
    bool is_overdue(SteadyTime now) const {
        return waiting_ && (now >= deadline_ || is_withdrawn());
    }
    void interrupt();  // The wait in progress, or the next one, fails with timed_out.

private:
    enum class Step : std::uint8_t { done, want_read, want_write, closed, broken };
    Async<> write_plain(std::span<const ByteView> pieces,
                        std::chrono::steady_clock::duration patience);
    Async<> write_tls(std::span<const ByteView> pieces,
                      std::chrono::steady_clock::duration patience);
    struct Progress {
        Step step = Step::done;
        std::size_t bytes = 0;
    };
    Progress try_read(std::span<std::byte> target);
    Progress try_write(std::span<const iovec> pieces);
    // Encrypts the front of `piece` into `records_`.
    Progress try_encrypt(ByteView piece);
    Progress tls_progress(int result, std::size_t bytes);
    Async<> wait(Step step, std::chrono::steady_clock::duration patience);
    bool is_withdrawn() const { return withdrawn_ != nullptr && withdrawn_->load(); }

    static BIO* make_bio(Stream* stream);
    static int bio_write(BIO* bio, const char* data, int size);
    static long bio_control(BIO* bio, int command, long number, void* pointer);
    struct FreeSsl {
        void operator()(SSL* ssl) const { SSL_free(ssl); }
    };
    Socket socket_;
    std::unique_ptr<SSL, FreeSsl> ssl_;
    // Where TLS records go while a write gathers them; null: straight to the socket.
    struct Records;
    Records* records_ = nullptr;
    const std::atomic<bool>* withdrawn_ = nullptr;
    SteadyTime deadline_{};
    bool waiting_ = false;
    bool interrupted_ = false;
};

}  // namespace satchel::http
