#include "media/mpeg_audio.hpp"

#include "media/fields.hpp"
#include "media/signatures.hpp"

#include <algorithm>
#include <array>

namespace satchel::media {
namespace {

constexpr Detected mp3 = exactly(Kind::audio, "audio/mpeg", "MP3 recording");
constexpr Detected mp3_perhaps = probably(Kind::audio, "audio/mpeg", "file with an ID3 tag");
constexpr Detected aac = exactly(Kind::audio, "audio/aac", "AAC recording");

constexpr std::size_t id3_header_bytes = 10;
constexpr std::size_t id3_tags_max = 4;
constexpr std::size_t frame_header_bytes = 7;  // Of the longer kind, ADTS.
// Some writers leave zeros between the tag and the first frame.
constexpr std::size_t padding_bytes_max = 4096;

// Bytes of the frame at the beginning of `bytes`; 0 if it is none.
std::size_t adts_frame_bytes(ByteView bytes) {
    const bool is_frame = (be16(bytes, 0) & 0xFFF6U) == 0xFFF0U;
    const unsigned rate_index = u8(bytes, 2) >> 2U & 15U;
    if (!is_frame || rate_index > 12) return 0;
    const std::size_t length = (be32(bytes, 3) >> 13U) & 0x1FFFU;
    return length >= frame_header_bytes ? length : 0;
}

// Kilobits a second by index, for MPEG 1 layers I to III, then for MPEG 2 layer I and the others.
constexpr std::array<std::array<std::uint16_t, 15>, 5> bit_rates{{
    {0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448},
    {0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},
    {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
    {0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},
    {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
}};
constexpr std::array<std::uint32_t, 3> sample_rates{44100, 48000, 32000};  // Of MPEG 1.

std::size_t mpeg_frame_bytes(ByteView bytes) {
    const std::uint32_t header = be32(bytes, 0);
    if (header >> 21U != 0x7FFU) return 0;
    const unsigned version = header >> 19U & 3U;  // 0: MPEG 2.5, 2: MPEG 2, 3: MPEG 1.
    const unsigned layer = 4 - (header >> 17U & 3U);
    const unsigned rate_index = header >> 12U & 15U;
    const unsigned sample_index = header >> 10U & 3U;
    // Index 0 is a rate that the header does not tell: nobody uses it.
    if (version == 1 || layer == 4 || rate_index == 0 || rate_index == 15 || sample_index == 3) {
        return 0;
    }
    const bool is_mpeg_1 = version == 3;
    const std::size_t row = is_mpeg_1 ? layer - 1 : (layer == 1 ? 3 : 4);
    const std::uint32_t bits = bit_rates[row][rate_index] * 1000U;
    const std::uint32_t samples_per_second = sample_rates[sample_index] >> (is_mpeg_1      ? 0U
                                                                            : version == 2 ? 1U
                                                                                           : 2U);
    const std::uint32_t padding = header >> 9U & 1U;
    if (layer == 1) return (12 * bits / samples_per_second + padding) * 4;
    const std::uint32_t samples = layer == 3 && !is_mpeg_1 ? 576 : 1152;
    return samples / 8 * bits / samples_per_second + padding;
}

using FrameBytes = std::size_t (*)(ByteView);

// Whether one frame stands at `offset` and another one, or the end, behind it.
Async<bool> has_frames(Window& window, std::uint64_t offset, FrameBytes frame_bytes) {
    CO_TRY(const ByteView first, co_await window.at(offset, frame_header_bytes));
    const std::size_t length = frame_bytes(first);
    if (length == 0) co_return false;
    // Version, layer and sample rate stay.
    const unsigned kind = be16(first, 0) & 0xFFFEU;
    const unsigned rate = u8(first, 2) & 0x0CU;
    if (offset + length == window.size()) co_return true;
    CO_TRY(const ByteView second, co_await window.at(offset + length, frame_header_bytes));
    co_return frame_bytes(second) != 0 && (be16(second, 0) & 0xFFFEU) == kind &&
        (u8(second, 2) & 0x0CU) == rate;
}

Async<Detected> detect_frames(Window& window, std::uint64_t offset) {
    CO_TRY(const bool is_aac, co_await has_frames(window, offset, adts_frame_bytes));
    if (is_aac) co_return aac;
    CO_TRY(const bool is_mp3, co_await has_frames(window, offset, mpeg_frame_bytes));
    co_return is_mp3 ? mp3 : Detected{};
}

// Bytes of the tag at the beginning of `bytes`, with its header; 0 if it is none.
std::uint64_t id3_bytes(ByteView bytes) {
    if (!has(bytes, 0, "ID3") || u8(bytes, 3) == 0 || u8(bytes, 3) > 4) return 0;
    std::uint64_t length = 0;
    for (std::size_t i = 6; i < id3_header_bytes; ++i) {
        if (u8(bytes, i) >= 0x80) return 0;
        length = length << 7U | u8(bytes, i);
    }
    const bool has_footer = (u8(bytes, 5) & 0x10U) != 0;
    return length + id3_header_bytes * (has_footer ? 2 : 1);
}

}  // namespace

Async<Detected> detect_mpeg_audio(Window& window) {
    std::uint64_t offset = 0;
    for (std::size_t tags = 0; tags < id3_tags_max; ++tags) {
        CO_TRY(const ByteView header, co_await window.at(offset, id3_header_bytes));
        const std::uint64_t length = id3_bytes(header);
        if (length == 0) break;
        offset += length;
    }
    if (offset == 0) co_return co_await detect_frames(window, 0);
    CO_TRY(const ByteView behind, co_await window.at(offset, padding_bytes_max));
    const Detected bad = find_forbidden_signature(behind);
    if (bad.certainty != Certainty::none) co_return bad;
    const auto zeros = static_cast<std::size_t>(
        std::ranges::find_if(behind, [](std::byte b) { return b != std::byte{0}; }) -
        behind.begin());
    CO_TRY(const Detected found, co_await detect_frames(window, offset + zeros));
    co_return found.certainty == Certainty::none ? mp3_perhaps : found;
}

}  // namespace satchel::media
