// Takes what tells of people and places out of a file without decoding its picture: EXIF, GPS,
// XMP, IPTC, comments, maker notes, embedded thumbnails. What decides how it looks stays:
// orientation, colour profile, gamma, density. The picture's own bytes are not changed.
#pragma once

#include "base/bytes.hpp"
#include "media/jail_protocol.hpp"

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace satchel::media {

// What the result consists of: pieces of the input, and bytes of our own.
class Pieces {
public:
    void keep(ByteView bytes) { pieces_.push_back({bytes, {}}); }
    void add(std::string bytes) { pieces_.push_back({{}, std::move(bytes)}); }

    struct Piece {
        ByteView kept;
        std::string own;
        ByteView view() const { return own.empty() ? kept : as_bytes(own); }
    };
    const std::vector<Piece>& all() const { return pieces_; }

private:
    std::vector<Piece> pieces_;
};

// nullopt if the bytes are not as their format says. `jpeg` and `png` drop segments and chunks;
// `tiff` and `heif` have absolute offsets inside, so that these are edited in place and keep
// their length.
std::optional<Pieces> strip_jpeg(ByteView file);
std::optional<Pieces> strip_png(ByteView file);
bool strip_tiff(std::span<std::byte> file);
bool strip_heif(std::span<std::byte> file);

// From one open memory file to another. False if the input is not of the format or the output
// cannot be written.
bool strip_metadata(jail::Source source, int input, int output);

}  // namespace satchel::media
