// Result<T> is a value, or an Error saying what went wrong.
//
// What a client, the network, the disk, the database or another process can cause is an Error.
// A broken invariant of our own is not: ASSERT it. TRY and CO_TRY hand an Error on.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace satchel {

// Whose problem it is and what may be done about it: retry decisions look at this alone.
enum class Errc : std::uint8_t {
    invalid_argument,
    unauthenticated,
    permission_denied,
    not_found,
    conflict,
    too_large,
    rate_limited,
    timed_out,
    unavailable,
    corrupt,
    internal,
};

// One row of the public error table (docs/api/errors.md); the rows are in model/api_errors.hpp.
struct Reason {
    std::uint16_t code;    // Four digits, stable.
    std::uint16_t status;  // HTTP status.
    Errc errc;
    std::string_view message;  // Says what to do; safe to show to any client.
};

struct Error {
    Errc code = Errc::internal;
    const Reason* reason = nullptr;         // Static storage. Null means "internal server error".
    std::string message;                    // Public; replaces reason->message unless empty.
    std::string detail;                     // For the log only. Never leaves the process.
    std::uint32_t retry_after_seconds = 0;  // For rate_limited and unavailable; 0: not known.
};

// std::expected, but [[nodiscard]], which libstdc++ 12 leaves out.
template <class T = void>
class [[nodiscard]] Result : public std::expected<T, Error> {
public:
    using std::expected<T, Error>::expected;
};

inline std::unexpected<Error> fail(const Reason& reason, std::string message = {}) {
    return std::unexpected(Error{reason.errc, &reason, std::move(message), {}, 0});
}

inline std::unexpected<Error> fail(Errc code, std::string detail) {
    return std::unexpected(Error{code, nullptr, {}, std::move(detail), 0});
}

// Drops an error on purpose. `why` is for the reader.
template <class T>
void ignore(const Result<T>& /*result*/, std::string_view /*why*/) {}

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace satchel

#define SATCHEL_GLUE_(a, b) a##b
#define SATCHEL_GLUE(a, b) SATCHEL_GLUE_(a, b)
#define SATCHEL_TRY_(tmp, ret, decl, ...)            \
    auto tmp = (__VA_ARGS__);                        \
    if (!tmp) [[unlikely]]                           \
        ret std::unexpected(std::move(tmp).error()); \
    decl = *std::move(tmp)
// TRY(auto x, f()): x is f()'s value, or the error is returned.
#define TRY(decl, ...) SATCHEL_TRY_(SATCHEL_GLUE(try_, __COUNTER__), return, decl, __VA_ARGS__)
#define CO_TRY(decl, ...) \
    SATCHEL_TRY_(SATCHEL_GLUE(try_, __COUNTER__), co_return, decl, __VA_ARGS__)
// CHECK(f()): as TRY, for calls whose value is void or not wanted.
#define CHECK(...)                                         \
    if (auto check_ = (__VA_ARGS__); !check_) [[unlikely]] \
    return std::unexpected(std::move(check_).error())
#define CO_CHECK(...)                                      \
    if (auto check_ = (__VA_ARGS__); !check_) [[unlikely]] \
    co_return std::unexpected(std::move(check_).error())

// On in every build: a broken invariant stops the process before it can write anything else.
#define ASSERT(condition) \
    ((condition) ? void() : ::satchel::assertion_failed(#condition, __FILE__, __LINE__))
