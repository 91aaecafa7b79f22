#include "media_child/exif.hpp"
#include "media_child/strip.hpp"

#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace {

using namespace satchel;
using namespace satchel::media;

std::string joined(const Pieces& pieces) {
    std::string file;
    for (const Pieces::Piece& piece : pieces.all()) file += as_text(piece.view());
    return file;
}

// What was stripped is a file of its kind, of which nothing more is to be stripped.
void strip_to_pieces(std::optional<Pieces> (*strip)(ByteView), ByteView bytes) {
    const auto pieces = strip(bytes);
    if (!pieces) return;
    const std::string once = joined(*pieces);
    // An orientation may come in a segment longer than the one it was in.
    ASSERT(once.size() <= bytes.size() + 64);
    const auto again = strip(as_bytes(once));
    ASSERT(again.has_value() && joined(*again) == once);
}

void strip_in_place(bool (*strip)(std::span<std::byte>), ByteView bytes) {
    std::string file(as_text(bytes));
    static_cast<void>(strip(std::as_writable_bytes(std::span(file))));
    ASSERT(file.size() == bytes.size());
}

}  // namespace

// The input is a file, taken for each of the formats in turn.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes(reinterpret_cast<const std::byte*>(data), size);
    strip_to_pieces(strip_jpeg, bytes);
    strip_to_pieces(strip_png, bytes);
    strip_in_place(strip_tiff, bytes);
    strip_in_place(strip_heif, bytes);
    const std::uint16_t orientation = exif_orientation(bytes);
    ASSERT(orientation >= 1 && orientation <= 8);
    return 0;
}
