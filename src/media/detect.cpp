#include "media/detect.hpp"

#include "media/compound_file.hpp"
#include "media/fields.hpp"
#include "media/iso_media.hpp"
#include "media/mpeg_audio.hpp"
#include "media/signatures.hpp"
#include "media/text_formats.hpp"
#include "media/window.hpp"
#include "media/zip_archive.hpp"

#include <algorithm>
#include <array>

namespace satchel::media {
namespace {

using namespace std::string_view_literals;

constexpr Detected pdf = exactly(Kind::pdf, "application/pdf", "PDF document");
constexpr Detected transport_stream = exactly(Kind::video, "video/mpeg", "MPEG transport stream");
constexpr Detected disk_image = forbidden(Kind::program, Forbidden::program, "macOS disk image");

bool is_known(const Detected& detected) {
    return detected.certainty != Certainty::none;
}

// Entries, nothing but the end of a directory, or a part of a set.
bool begins_as_zip(ByteView head) {
    return has(head, 0, "PK\x03\x04") || has(head, 0, "PK\x05\x06") || has(head, 0, "PK\x07\x08");
}

// Readers take a PDF whose header stands anywhere in the first 1024 bytes. Other things talk of
// PDF there, too, so that one must also end as a PDF does.
Async<bool> is_late_pdf(Window& window) {
    constexpr std::size_t header_within = 1024;
    constexpr std::size_t end_within = 1024;
    if (text_at(window.head(), 0, header_within).find("%PDF-") == std::string_view::npos) {
        co_return false;
    }
    const std::uint64_t size = window.size();
    CO_TRY(const ByteView tail,
           co_await window.at(size - std::min<std::uint64_t>(size, end_within), end_within));
    co_return as_text(tail).find("%%EOF") != std::string_view::npos;
}

// Packets of one size, each with its mark; Blu-ray puts four bytes in front of each.
bool is_transport_stream(ByteView head) {
    constexpr std::size_t packets_min = 4;
    struct Layout {
        std::size_t mark_at;
        std::size_t packet_bytes;
    };
    constexpr std::array layouts{Layout{0, 188}, Layout{4, 192}};
    return std::ranges::any_of(layouts, [head](const Layout& layout) {
        for (std::size_t i = 0; i < packets_min; ++i) {
            if (u8(head, layout.mark_at + i * layout.packet_bytes) != 'G') return false;
        }
        return true;
    });
}

Async<bool> is_disk_image(Window& window) {
    constexpr std::size_t trailer_bytes = 512;
    if (window.size() < trailer_bytes) co_return false;
    CO_TRY(const ByteView trailer,
           co_await window.at(window.size() - trailer_bytes, trailer_bytes));
    co_return has(trailer, 0, "koly"sv);
}

// What has no known beginning and is no text.
Async<Detected> detect_from_end(Window& window) {
    if (is_transport_stream(window.head())) co_return transport_stream;
    CO_TRY(const bool is_image, co_await is_disk_image(window));
    if (is_image) co_return disk_image;
    co_return co_await detect_zip(window);
}

}  // namespace

bool is_forbidden_head(ByteView head) {
    return is_known(find_forbidden_signature(head));
}

Async<Detected> detect(Content& content) {
    CO_TRY(Window window, co_await Window::open(content));
    const ByteView head = window.head();
    if (const Detected found = find_signature(head); is_known(found)) co_return found;
    if (begins_as_zip(head)) co_return co_await detect_zip(window);
    if (has(head, 0, compound_file_mark)) co_return co_await detect_compound_file(window);
    CO_TRY(const Detected boxes, co_await detect_iso_media(window));
    if (is_known(boxes)) co_return boxes;
    CO_TRY(const Detected sound, co_await detect_mpeg_audio(window));
    if (is_known(sound)) co_return sound;
    CO_TRY(const bool has_pdf, co_await is_late_pdf(window));
    if (has_pdf) co_return pdf;
    const Detected text = head.empty() ? Detected{} : detect_text(head, window.head_is_all());
    if (is_known(text)) co_return text;
    co_return co_await detect_from_end(window);
}

}  // namespace satchel::media
