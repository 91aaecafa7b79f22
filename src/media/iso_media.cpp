#include "media/iso_media.hpp"

#include "base/limits.hpp"
#include "media/fields.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <vector>

namespace satchel::media {
namespace {

using namespace std::string_view_literals;

constexpr Detected mp4 = exactly(Kind::video, "video/mp4", "MP4 video");
constexpr Detected mp4_perhaps = probably(Kind::video, "video/mp4", "MP4 file");
constexpr Detected m4a = exactly(Kind::audio, "audio/x-m4a", "M4A recording");
constexpr Detected m4v = exactly(Kind::video, "video/x-m4v", "M4V video");
constexpr Detected quicktime = exactly(Kind::video, "video/quicktime", "QuickTime video");
constexpr Detected quicktime_perhaps = probably(Kind::video, "video/quicktime", "QuickTime file");
constexpr Detected three_gp = exactly(Kind::video, "video/3gpp", "3GP video");
constexpr Detected heic = exactly(Kind::image, "image/heic", "HEIC image");
constexpr Detected heif = exactly(Kind::image, "image/heif", "HEIF image");
constexpr Detected heif_perhaps = probably(Kind::image, "image/heif", "HEIF image");
constexpr Detected avif = forbidden(Kind::image, Forbidden::foreign, "AVIF image");
constexpr Detected raw = forbidden(Kind::image, Forbidden::foreign, "camera raw image");

struct Brand {
    std::string_view prefix;
    Detected found;
};
constexpr std::array brands{
    Brand{"hei", heic}, Brand{"hev", heic},       Brand{"avif", avif},   Brand{"avis", avif},
    Brand{"M4A", m4a},  Brand{"M4B", m4a},        Brand{"M4P", m4a},     Brand{"F4A ", m4a},
    Brand{"M4V", m4v},  Brand{"qt  ", quicktime}, Brand{"3g", three_gp}, Brand{"crx ", raw},
};

struct Box {
    std::string_view type;  // Valid until the window moves.
    std::uint64_t content = 0;
    std::uint64_t end = 0;  // May lie beyond the file: it was cut.
};

constexpr std::size_t box_header_bytes_max = 16;

// Hands out the boxes that lie in [position, end), one after the other.
class Boxes {
public:
    Boxes(Window& window, std::uint64_t position, std::uint64_t end, std::size_t& left)
        : window_(window), position_(position), end_(end), left_(left) {}

    // nullopt after the last, at what is no box, and when `left` is used up.
    Async<std::optional<Box>> next() {
        if (left_ == 0 || position_ >= end_) co_return std::nullopt;
        --left_;
        CO_TRY(const ByteView header, co_await window_.at(position_, box_header_bytes_max));
        if (header.size() < 8) co_return std::nullopt;
        std::uint64_t size = be32(header, 0);
        std::size_t header_size = 8;
        if (size == 1) {
            size = be64(header, 8);
            header_size = 16;
        } else if (size == 0) {
            size = end_ - position_;
        }
        if (size < header_size || size > UINT64_MAX - position_) co_return std::nullopt;
        const Box box{text_at(header, 4, 4), position_ + header_size, position_ + size};
        position_ = box.end;
        co_return box;
    }

private:
    Window& window_;
    std::uint64_t position_;
    std::uint64_t end_;
    std::size_t& left_;
};

struct Tracks {
    bool audio = false;
    bool video = false;
};

// The tracks below the movie box `movie`: moov/trak/mdia/hdlr.
Async<Tracks> find_tracks(Window& window, const Box movie, std::size_t& left) {
    constexpr std::array path{"trak"sv, "mdia"sv, "hdlr"sv};
    Tracks tracks;
    // One level of the path each; a level that has ended goes back to the one above it.
    std::vector<Boxes> levels{Boxes(window, movie.content, movie.end, left)};
    while (!levels.empty()) {
        CO_TRY(const auto box, co_await levels.back().next());
        if (!box) {
            levels.pop_back();
            continue;
        }
        if (box->type != path[levels.size() - 1]) continue;
        if (levels.size() < path.size()) {
            levels.emplace_back(window, box->content, box->end, left);
        } else {
            // Version and flags, a reserved word, the kind of track.
            CO_TRY(const ByteView handler, co_await window.at(box->content, 12));
            tracks.audio |= has(handler, 8, "soun");
            tracks.video |= has(handler, 8, "vide");
        }
    }
    co_return tracks;
}

bool is_quicktime_box(std::string_view type) {
    constexpr std::array known{"moov"sv, "mdat"sv, "wide"sv, "free"sv,
                               "skip"sv, "pnot"sv, "PICT"sv, "uuid"sv};
    return is_one_of(type, known);
}

// Files from before brands: nothing but known boxes, one of them with the movie or its data.
Async<Detected> detect_old_quicktime(Window& window) {
    std::size_t left = limits::detect_boxes_max;
    Boxes boxes(window, 0, window.size(), left);
    Detected found;
    while (true) {
        CO_TRY(const auto box, co_await boxes.next());
        if (!box) co_return found;
        // Letters in place of a size make it larger than any attachment: that is text.
        const bool is_text = box->end > limits::attachment_bytes_max;
        if (is_text || !is_quicktime_box(box->type)) co_return Detected{};
        if (box->type == "moov") co_return quicktime;
        if (box->type == "mdat") found = quicktime_perhaps;
    }
}

Async<Detected> detect_by_tracks(Window& window) {
    std::size_t left = limits::detect_boxes_max;
    Boxes boxes(window, 0, window.size(), left);
    while (true) {
        CO_TRY(const auto box, co_await boxes.next());
        if (!box) co_return mp4_perhaps;
        if (box->type != "moov") continue;
        CO_TRY(const Tracks tracks, co_await find_tracks(window, *box, left));
        if (tracks.video) co_return mp4;
        // A movie box that is cut may have lost its picture.
        if (!tracks.audio || box->end > window.size() || left == 0) co_return mp4_perhaps;
        co_return m4a;
    }
}

// Still images name their coding among the compatible brands, which end at `end`.
Detected find_heif(ByteView head, std::size_t end) {
    for (std::size_t at = 16; at + 4 <= std::min(end, head.size()); at += 4) {
        const std::string_view brand = text_at(head, at, 4);
        if (brand == "avif" || brand == "avis") return avif;
        if (brand.starts_with("hei") || brand.starts_with("hev")) return heic;
    }
    return end <= head.size() ? heif : heif_perhaps;
}

}  // namespace

Async<Detected> detect_iso_media(Window& window) {
    const ByteView head = window.head();
    if (!has(head, 4, "ftyp")) {
        if (!is_quicktime_box(text_at(head, 4, 4))) co_return Detected{};
        co_return co_await detect_old_quicktime(window);
    }
    const std::size_t end = be32(head, 0);
    if (std::min(end, head.size()) < 12) co_return Detected{};
    const std::string_view major = text_at(head, 8, 4);
    if (major == "mif1" || major == "msf1") co_return find_heif(head, end);
    for (const Brand& brand : brands) {
        if (major.starts_with(brand.prefix)) co_return brand.found;
    }
    co_return co_await detect_by_tracks(window);
}

}  // namespace satchel::media
