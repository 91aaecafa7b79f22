#include "media_child/strip.hpp"

#include "media_child/exif.hpp"
#include "media_child/numbers.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace satchel::media {
namespace {

using namespace std::string_view_literals;
using namespace std::string_literals;

constexpr std::string_view png_signature = "\x89PNG\r\n\x1a\n"sv;

bool begins(ByteView bytes, std::string_view text) {
    return bytes.size() >= text.size() && as_text(bytes.first(text.size())) == text;
}

std::string big_endian(std::uint64_t value, unsigned width) {
    std::string text;
    for (unsigned i = width; i-- > 0;) text += static_cast<char>(value >> (8 * i) & 0xff);
    return text;
}

std::string exif_segment(std::uint16_t orientation) {
    const std::string block = "Exif\0\0"s + exif_with_orientation(orientation);
    return "\xff\xe1" + big_endian(block.size() + 2, 2) + block;
}

// Whether a decoder needs it. 0xe0 to 0xef are applications' segments, 0xfe is a comment.
bool is_jpeg_segment_kept(unsigned marker, ByteView content) {
    if (marker == 0xfe) return false;
    if (marker < 0xe0 || marker > 0xef) return true;
    if (marker == 0xe0) return begins(content, "JFIF\0"sv);
    if (marker == 0xe2) return begins(content, "ICC_PROFILE\0"sv);
    return marker == 0xee && begins(content, "Adobe"sv);
}

std::uint32_t crc32(std::string_view text) {
    std::uint32_t sum = ~0U;
    for (const char c : text) {
        sum ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) sum = sum >> 1 ^ (sum & 1 ? 0xedb88320U : 0);
    }
    return ~sum;
}

std::string png_chunk(std::string_view type, std::string_view content) {
    const std::string body = std::string(type) + std::string(content);
    return big_endian(content.size(), 4) + body + big_endian(crc32(body), 4);
}

bool is_png_chunk_kept(std::string_view type) {
    static constexpr auto kept = std::to_array<std::string_view>(
        {"tRNS", "cHRM", "gAMA", "iCCP", "sBIT", "sRGB", "cICP", "bKGD", "pHYs", "hIST", "mDCV",
         "cLLI", "acTL", "fcTL", "fdAT"});
    const bool is_critical = (static_cast<unsigned char>(type[0]) & 0x20) == 0;
    return is_critical || std::ranges::find(kept, type) != kept.end();
}

bool write_all(int file, ByteView bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(file, bytes.data(), bytes.size());
        if (written <= 0) return false;
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return true;
}

bool write_pieces(int file, const std::optional<Pieces>& pieces) {
    return pieces && std::ranges::all_of(pieces->all(), [file](const Pieces::Piece& piece) {
               return write_all(file, piece.view());
           });
}

}  // namespace

std::optional<Pieces> strip_jpeg(ByteView file) {
    if (!begins(file, "\xff\xd8\xff"sv)) return std::nullopt;
    const Numbers numbers(file, Order::big);
    std::uint16_t orientation = 1;
    Pieces before;  // JFIF comes first.
    Pieces after;
    std::size_t at = 2;
    bool in_picture = false;
    while (true) {
        std::size_t end = at;
        if (in_picture) {
            // Coded data: to the next marker that is neither a stuffed byte nor a restart.
            while (end + 1 < file.size()) {
                const auto second = std::to_integer<unsigned>(file[end + 1]);
                const bool is_data = second == 0 || (second >= 0xd0 && second <= 0xd7);
                if (file[end] == std::byte{0xff} && !is_data && second != 0xff) break;
                ++end;
            }
            // Bytes that fill up before a marker are none of the data: were the marker's segment
            // dropped, they would make a marker of what follows.
            std::size_t data_end = end;
            while (data_end > at && file[data_end - 1] == std::byte{0xff}) --data_end;
            after.keep(file.subspan(at, data_end - at));
            at = end;
        }
        while (at + 1 < file.size() && file[at] == std::byte{0xff} &&
               file[at + 1] == std::byte{0xff}) {
            ++at;
        }
        if (numbers.read(at, 1) != 0xff || !numbers.good()) return std::nullopt;
        const auto marker = static_cast<unsigned>(numbers.read(at + 1, 1));
        if (marker == 0xd9) break;
        const std::size_t length = numbers.u16(at + 2);
        if (!numbers.good() || length < 2 || file.size() - at - 2 < length) return std::nullopt;
        const ByteView content = file.subspan(at + 4, length - 2);
        if (marker == 0xe1 && begins(content, "Exif\0\0"sv)) {
            orientation = exif_orientation(content.subspan(6));
        }
        if (is_jpeg_segment_kept(marker, content)) {
            (marker == 0xe0 ? before : after).keep(file.subspan(at, length + 2));
        }
        in_picture = in_picture || marker == 0xda;
        at += length + 2;
    }
    if (!in_picture) return std::nullopt;
    // What follows the end of the picture (more pictures, makers' trailers) is left out.
    Pieces whole;
    whole.keep(file.first(2));
    for (const auto& piece : before.all()) whole.keep(piece.kept);
    if (orientation != 1) whole.add(exif_segment(orientation));
    for (const auto& piece : after.all()) whole.keep(piece.kept);
    whole.add("\xff\xd9");
    return whole;
}

std::optional<Pieces> strip_png(ByteView file) {
    if (!begins(file, png_signature)) return std::nullopt;
    const Numbers numbers(file, Order::big);
    std::uint16_t orientation = 1;
    ByteView header;
    Pieces rest;
    std::string_view type;
    for (std::size_t at = png_signature.size(); type != "IEND";) {
        const std::size_t length = numbers.u32(at);
        if (!numbers.good() || file.size() - at < 12 || file.size() - at - 12 < length) {
            return std::nullopt;
        }
        type = as_text(file.subspan(at + 4, 4));
        const ByteView whole = file.subspan(at, length + 12);
        if (header.empty() != (type == "IHDR")) return std::nullopt;
        if (header.empty()) {
            header = whole;
        } else if (type == "eXIf") {
            orientation = exif_orientation(whole.subspan(8, length));
        } else if (is_png_chunk_kept(type)) {
            rest.keep(whole);
        }
        at += whole.size();
    }
    Pieces result;
    result.keep(file.first(png_signature.size()));
    result.keep(header);
    if (orientation != 1) result.add(png_chunk("eXIf", exif_with_orientation(orientation)));
    for (const auto& piece : rest.all()) result.keep(piece.kept);
    return result;
}

bool strip_metadata(jail::Source source, int input, int output) {
    struct stat status{};
    if (::fstat(input, &status) != 0 || status.st_size <= 0) return false;
    const auto size = static_cast<std::size_t>(status.st_size);
    // Private: the edits stay in this process, and take memory only where they are made.
    void* const mapped =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, input, 0);
    if (mapped == MAP_FAILED) return false;
    const std::span<std::byte> file(static_cast<std::byte*>(mapped), size);
    switch (source) {
        case jail::Source::jpeg:
            return write_pieces(output, strip_jpeg(file));
        case jail::Source::png:
            return write_pieces(output, strip_png(file));
        case jail::Source::tiff:
            return strip_tiff(file) && write_all(output, file);
        case jail::Source::heif:
            return strip_heif(file) && write_all(output, file);
        default:
            return false;
    }
}

}  // namespace satchel::media
