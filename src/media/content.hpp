// Content that can be read at any place: what detection looks at.
#pragma once

#include "base/async.hpp"
#include "base/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace satchel::media {

class Content {
public:
    virtual ~Content() = default;
    virtual std::uint64_t size() const = 0;
    // Fills `into` with the bytes from `offset` on and says how many there were: all that `into`
    // holds, fewer only at the content's end. Callers keep offset + into.size() within size().
    virtual Async<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) = 0;
};

// Content in memory, which must outlive this.
class BytesContent final : public Content {
public:
    explicit BytesContent(ByteView bytes) : bytes_(bytes) {}
    std::uint64_t size() const override { return bytes_.size(); }
    Async<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) override;

private:
    ByteView bytes_;
};

}  // namespace satchel::media
