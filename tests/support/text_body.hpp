// A request's body in memory.
#pragma once

#include "base/bytes.hpp"
#include "http/body.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace satchel::test {

// A body that is all there, cut off after some bytes, or stalled.
class TextBody : public http::Body {
public:
    explicit TextBody(Bytes bytes) : bytes_(std::move(bytes)) {}
    std::optional<Errc> ends_with;

    Async<std::size_t> read(std::span<std::byte> target) override {
        const std::size_t n = std::min(target.size(), bytes_.size() - at_);
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), n, target.begin());
        at_ += n;
        if (n == 0 && ends_with) co_return fail(*ends_with, "the client went away");
        co_return n;
    }
    Async<std::size_t> fill(std::span<std::byte> target) override {
        std::size_t filled = 0;
        while (filled < target.size()) {
            CO_TRY(const std::size_t n, co_await read(target.subspan(filled)));
            if (n == 0) break;
            filled += n;
        }
        co_return filled;
    }
    Async<std::string> read_all(std::size_t /*max*/) override {
        co_return std::string(as_text(bytes_));
    }

private:
    Bytes bytes_;
    std::size_t at_ = 0;
};

}  // namespace satchel::test
