// What a file is turned into for delivery, and who does it.
//
// A Converter never decodes in this process: it hands the bytes to a jailed child
// (docs/adr/0012-media-jail.md). What comes back has been checked to begin as its type says and
// is sealed. Contract section 2.10.
#pragma once

#include "base/async.hpp"
#include "base/descriptor.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace satchel::media {

enum class Form : std::uint8_t {
    jpeg,      // A still image as JPEG: upright, first page, 8 bits a channel.
    m4a,       // Sound as AAC in MP4.
    voice,     // A voice memo as it is sent.
    preview,   // A JPEG no wider than Order::width: of an image, first page or first video frame.
    stripped,  // The same format without EXIF, XMP and position; orientation and colour kept.
    waveform,  // Loudness over time.
};

struct Order {
    Form form = Form::jpeg;
    std::string source_type;  // Canonical type of the bytes, as detected; never as declared.
    Descriptor input;         // A sealed memory file (memory_file.hpp) with all the bytes.
    std::uint32_t width = 0;  // Pixels; for Form::preview alone, where it is at least 1.
};

struct Product {
    Descriptor bytes;  // A sealed memory file.
    std::string content_type;
    std::uint64_t size_bytes = 0;
    std::optional<std::chrono::milliseconds> duration;  // Sound and video.
    std::uint32_t width = 0;                            // Pixels; 0 for sound.
    std::uint32_t height = 0;
};

class Converter {
public:
    virtual ~Converter() = default;

    // Ends within the limits of base/limits.hpp, whatever the input does. Cancellation ends the
    // child at once. Errors:
    //   invalid_argument  this form is not made of this type;
    //   corrupt           the bytes cannot be decoded, or the child broke on them: crashed, left
    //                     its jail's bounds or answered nonsense. The same bytes will fail again;
    //   too_large         more bytes, pixels, pages or seconds than the limits allow;
    //   timed_out         more CPU or wall time than the limits allow;
    //   unavailable       no jail just now, or too much waiting: worth trying again.
    virtual Async<Product> convert(Order order) = 0;
};

}  // namespace satchel::media
