#include "http/stream.hpp"

#include "base/transfer_buffer.hpp"

#include <openssl/err.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>

#include <array>
#include <cerrno>
#include <cstring>

namespace satchel::http {
namespace {

// The most pieces that one system call gets.
constexpr std::size_t pieces_max = 16;

std::unexpected<Error> broken(std::string detail) {
    return fail(Errc::invalid_argument, std::move(detail));
}

}  // namespace

Stream::Stream(Socket socket, SSL_CTX* tls) : socket_(std::move(socket)) {
    boost::system::error_code ignored;
    socket_.non_blocking(true, ignored);
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    if (tls != nullptr) {
        ssl_.reset(SSL_new(tls));
        ASSERT(ssl_ != nullptr);
        SSL_set_fd(ssl_.get(), socket_.native_handle());
        SSL_set0_wbio(ssl_.get(), make_bio(this));
        SSL_set_accept_state(ssl_.get());
    }
}

Stream::Progress Stream::tls_progress(int result, std::size_t bytes) {
    if (result > 0) return {Step::done, bytes};
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ:
            return {Step::want_read, 0};
        case SSL_ERROR_WANT_WRITE:
            return {Step::want_write, 0};
        case SSL_ERROR_ZERO_RETURN:
            return {Step::closed, 0};
        default:
            ERR_clear_error();
            return {Step::broken, 0};
    }
}

Stream::Progress Stream::try_read(std::span<std::byte> target) {
    if (ssl_) {
        std::size_t bytes = 0;
        ERR_clear_error();
        const int result = SSL_read_ex(ssl_.get(), target.data(), target.size(), &bytes);
        return tls_progress(result, bytes);
    }
    while (true) {
        const ssize_t n = ::recv(socket_.native_handle(), target.data(), target.size(), 0);
        if (n > 0) return {Step::done, static_cast<std::size_t>(n)};
        if (n == 0) return {Step::closed, 0};
        if (errno == EAGAIN) return {Step::want_read, 0};
        if (errno != EINTR) return {Step::broken, 0};
    }
}

Stream::Progress Stream::try_write(std::span<const iovec> pieces) {
    while (true) {
        msghdr message{};
        message.msg_iov = const_cast<iovec*>(pieces.data());
        message.msg_iovlen = pieces.size();
        const ssize_t n = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
        if (n >= 0) return {Step::done, static_cast<std::size_t>(n)};
        if (errno == EAGAIN) return {Step::want_write, 0};
        if (errno != EINTR) return {Step::broken, 0};
    }
}

Stream::Progress Stream::try_encrypt(ByteView piece) {
    std::size_t bytes = 0;
    ERR_clear_error();
    const int result = SSL_write_ex(ssl_.get(), piece.data(), piece.size(), &bytes);
    return tls_progress(result, bytes);
}

// The TLS records of one write, gathered so that one system call takes many.
struct Stream::Records {
    TransferBuffer buffer;
    std::size_t used = 0;

    std::span<std::byte> room() { return buffer.bytes().subspan(used); }
};

BIO* Stream::make_bio(Stream* stream) {
    static BIO_METHOD* const method = [] {
        BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "satchel");
        ASSERT(made != nullptr);
        BIO_meth_set_write(made, &Stream::bio_write);
        BIO_meth_set_ctrl(made, &Stream::bio_control);
        return made;
    }();
    BIO* const bio = BIO_new(method);
    ASSERT(bio != nullptr);
    BIO_set_data(bio, stream);
    BIO_set_init(bio, 1);
    return bio;
}

int Stream::bio_write(BIO* bio, const char* data, int size) {
    auto& stream = *static_cast<Stream*>(BIO_get_data(bio));
    const ByteView record = std::as_bytes(std::span(data, static_cast<std::size_t>(size)));
    BIO_clear_retry_flags(bio);
    if (stream.records_ != nullptr) {
        const std::size_t n = std::min(record.size(), stream.records_->room().size());
        std::memcpy(stream.records_->room().data(), record.data(), n);
        stream.records_->used += n;
        if (n == 0) BIO_set_retry_write(bio);
        return n > 0 ? static_cast<int>(n) : -1;
    }
    const iovec piece{const_cast<std::byte*>(record.data()), record.size()};
    const Progress progress = stream.try_write({&piece, 1});
    if (progress.step == Step::done) return static_cast<int>(progress.bytes);
    if (progress.step == Step::want_write) BIO_set_retry_write(bio);
    return -1;
}

long Stream::bio_control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

Async<> Stream::wait(Step step, std::chrono::steady_clock::duration patience) {
    if (interrupted_) co_return fail(Errc::timed_out, "interrupted");
    deadline_ = std::chrono::steady_clock::now() + patience;
    waiting_ = true;
    const auto what = step == Step::want_read ? Socket::wait_read : Socket::wait_write;
    const auto [error] = co_await socket_.async_wait(what, asio::as_tuple(use_task));
    waiting_ = false;
    if (interrupted_) co_return fail(Errc::timed_out, "nothing moved for too long");
    if (error) co_return broken(error.message());
    co_return Result<>{};
}

Async<> Stream::handshake(std::chrono::steady_clock::duration patience) {
    if (!ssl_) co_return Result<>{};
    const auto end = std::chrono::steady_clock::now() + patience;
    while (true) {
        ERR_clear_error();
        const Progress progress = tls_progress(SSL_do_handshake(ssl_.get()), 0);
        if (progress.step == Step::done) co_return Result<>{};
        if (progress.step == Step::closed || progress.step == Step::broken) {
            co_return broken("TLS handshake failed");
        }
        const auto left = end - std::chrono::steady_clock::now();
        CO_CHECK(co_await wait(progress.step, left));
    }
}

Async<> Stream::wait_readable(std::chrono::steady_clock::duration patience) {
    // Bytes that were read ahead show on the socket no more.
    if (ssl_ && SSL_has_pending(ssl_.get()) != 0) co_return Result<>{};
    co_return co_await wait(Step::want_read, patience);
}

Async<std::size_t> Stream::read_some(std::span<std::byte> target,
                                     std::chrono::steady_clock::duration patience) {
    while (true) {
        const Progress progress = try_read(target);
        if (progress.step == Step::done) co_return progress.bytes;
        if (progress.step == Step::closed) co_return std::size_t{0};
        if (progress.step == Step::broken) co_return broken("connection broken while reading");
        CO_CHECK(co_await wait(progress.step, patience));
    }
}

Async<> Stream::write(std::span<const ByteView> pieces,
                      std::chrono::steady_clock::duration patience) {
    return ssl_ ? write_tls(pieces, patience) : write_plain(pieces, patience);
}

Async<> Stream::write_plain(std::span<const ByteView> pieces,
                            std::chrono::steady_clock::duration patience) {
    std::array<iovec, pieces_max> vectors{};
    std::size_t index = 0;   // The piece that is being written,
    std::size_t offset = 0;  // and how much of it is out.
    while (index < pieces.size()) {
        std::size_t count = 0;
        for (std::size_t i = index; i < pieces.size() && count < pieces_max; ++i) {
            const ByteView rest = pieces[i].subspan(i == index ? offset : 0);
            if (rest.empty()) continue;
            vectors[count++] = {const_cast<std::byte*>(rest.data()), rest.size()};
        }
        if (count == 0) break;
        if (is_withdrawn()) co_return broken("what was sent has been withdrawn");
        Progress progress = try_write(std::span(vectors).first(count));
        if (progress.step == Step::broken) co_return broken("connection broken while writing");
        if (progress.step != Step::done) {
            CO_CHECK(co_await wait(progress.step, patience));
            continue;
        }
        while (index < pieces.size() && progress.bytes >= pieces[index].size() - offset) {
            progress.bytes -= pieces[index].size() - offset;
            offset = 0;
            ++index;
        }
        offset += progress.bytes;
    }
    co_return Result<>{};
}

Async<> Stream::write_tls(std::span<const ByteView> pieces,
                          std::chrono::steady_clock::duration patience) {
    Records records;
    std::size_t index = 0;
    std::size_t offset = 0;
    while (index < pieces.size() || records.used > 0) {
        records_ = &records;
        bool is_full = false;
        while (index < pieces.size() && !is_full) {
            const ByteView rest = pieces[index].subspan(offset);
            const Progress progress = rest.empty() ? Progress{} : try_encrypt(rest);
            // Only a full buffer may stop us: a TLS that wants to read first (a renegotiation, a
            // key update that the peer left half sent) is not worth waiting for.
            const bool buffer_is_full = progress.step == Step::want_write && records.used > 0;
            if (progress.step != Step::done && !buffer_is_full) {
                records_ = nullptr;
                co_return broken("connection broken while writing");
            }
            // The records are complete once they are out: a record cut by a full buffer goes on
            // in the next one.
            is_full = progress.step != Step::done;
            offset += progress.bytes;
            if (offset == pieces[index].size()) {
                offset = 0;
                ++index;
            }
        }
        records_ = nullptr;
        const std::array gathered{ByteView(records.buffer.bytes().first(records.used))};
        CO_CHECK(co_await write_plain(gathered, patience));
        records.used = 0;
    }
    co_return Result<>{};
}

void Stream::finish_writing() {
    if (ssl_) {
        ERR_clear_error();
        SSL_shutdown(ssl_.get());
        ERR_clear_error();
    }
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
}

void Stream::reset_at_end() {
    // Not through Asio, whose destructor takes back what it was told.
    const ::linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void Stream::interrupt() {
    interrupted_ = true;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
}

}  // namespace satchel::http
