// What an MP4 or QuickTime file says of itself, read without decoding anything.
//
// Why here and not by ffprobe: it is asked of files that a jailed child has just written, which
// may lie, so every length is checked; and a second start of ffmpeg's libraries would cost more
// than the conversion of a short voice memo.
#pragma once

#include "base/descriptor.hpp"
#include "base/result.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace satchel::media {

struct MovieTrack {
    std::string kind;            // Four characters, as are all such names: "soun", "vide".
    std::string codec;           // "mp4a", "avc1".
    std::uint32_t channels = 0;  // Sound as AAC; otherwise 0.
    std::uint32_t width = 0;     // Video; pixels, as shown: upright.
    std::uint32_t height = 0;
    std::chrono::milliseconds duration{0};
};

struct MovieFacts {
    std::string brand;
    std::chrono::milliseconds duration{0};
    std::vector<MovieTrack> tracks;
    bool has_media = false;     // An mdat box that is not empty.
    bool has_metadata = false;  // In a udta or meta box of the movie or a track, or a uuid box.
};

// Errc::corrupt if the file is not such a movie, whole, or its moov box is larger than
// limits::movie_head_bytes_max.
Result<MovieFacts> read_movie_facts(const Descriptor& file);

struct PictureSize {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
};

// Of a JPEG, from its frame header, which must be within the first 64 KiB. Errc::corrupt.
Result<PictureSize> read_jpeg_size(const Descriptor& file);

}  // namespace satchel::media
