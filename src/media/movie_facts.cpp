#include "media/movie_facts.hpp"

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "media/memory_file.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

namespace satchel::media {
namespace {

std::unexpected<Error> not_a_movie(const char* why) {
    return fail(Errc::corrupt, std::string("the product is not a movie: ") + why);
}

// Big-endian fields of a box. What lies beyond its end reads as 0.
class Fields {
public:
    explicit Fields(ByteView bytes) : bytes_(bytes) {}

    std::uint64_t number(std::size_t at, std::size_t length) const {
        if (at > bytes_.size() || length > bytes_.size() - at) return 0;
        std::uint64_t value = 0;
        for (const std::byte byte : bytes_.subspan(at, length)) {
            value = value << 8 | std::to_integer<std::uint64_t>(byte);
        }
        return value;
    }
    std::uint32_t u16(std::size_t at) const { return static_cast<std::uint32_t>(number(at, 2)); }
    std::uint32_t u32(std::size_t at) const { return static_cast<std::uint32_t>(number(at, 4)); }
    std::string name(std::size_t at) const {
        if (bytes_.size() < at + 4) return {};
        return std::string(as_text(bytes_.subspan(at, 4)));
    }

private:
    ByteView bytes_;
};

struct Box {
    std::string name;
    ByteView content;
};

constexpr std::size_t short_head = 8;
constexpr std::size_t long_head = 16;

struct BoxHead {
    std::string name;
    std::size_t head_size = 0;
    std::uint64_t size = 0;  // With the head.
};

// nullopt if `head` is not the beginning of a box that ends within `available` bytes.
std::optional<BoxHead> read_head(ByteView head, std::uint64_t available) {
    if (head.size() < short_head) return std::nullopt;
    const Fields fields(head);
    BoxHead box{fields.name(4), short_head, fields.u32(0)};
    if (box.size == 1) {
        if (head.size() < long_head) return std::nullopt;
        box.head_size = long_head;
        box.size = fields.number(8, 8);
    } else if (box.size == 0) {
        box.size = available;
    }
    if (box.size < box.head_size || box.size > available) return std::nullopt;
    return box;
}

// Takes the first box off `rest`; nullopt at the end, or where what follows is no box.
std::optional<Box> next_box(ByteView& rest) {
    const auto head = read_head(rest.first(std::min(rest.size(), long_head)), rest.size());
    if (!head) return std::nullopt;
    const auto size = static_cast<std::size_t>(head->size);
    Box box{head->name, rest.subspan(head->head_size, size - head->head_size)};
    rest = rest.subspan(size);
    return box;
}

ByteView find(ByteView inside, std::string_view name) {
    while (const auto box = next_box(inside)) {
        if (box->name == name) return box->content;
    }
    return {};
}

bool is_metadata(std::string_view name) {
    return name == "udta" || name == "meta" || name == "uuid";
}

ByteView after(ByteView bytes, std::size_t count) {
    return bytes.subspan(std::min(count, bytes.size()));
}

// Whether a box of metadata has any content: muxers write empty ones.
bool says_something(const Box& box) {
    constexpr std::size_t version_bytes = 4;  // Which QuickTime's meta box has not.
    constexpr std::size_t end_mark_bytes = 4;
    const bool has_version = box.name == "meta" && Fields(box.content).name(4) != "hdlr";
    ByteView rest = has_version ? after(box.content, version_bytes) : box.content;
    while (const auto inner = next_box(rest)) {
        if (inner->content.empty() || inner->name == "hdlr" || inner->name == "free") continue;
        if (!is_metadata(inner->name) || says_something(*inner)) return true;
    }
    return rest.size() > end_mark_bytes;
}

bool holds_metadata(ByteView inside) {
    while (const auto box = next_box(inside)) {
        if (is_metadata(box->name) && says_something(*box)) return true;
        const bool is_container = box->name == "trak" || box->name == "mdia";
        if (is_container && holds_metadata(box->content)) return true;
    }
    return false;
}

// Of mvhd and mdhd, which begin alike. Unknown and absurd lengths are 0.
std::chrono::milliseconds duration_in(ByteView header) {
    const Fields fields(header);
    const bool is_long = fields.number(0, 1) == 1;
    const std::uint64_t scale = fields.u32(is_long ? 20 : 12);
    const std::uint64_t length = is_long ? fields.number(24, 8) : fields.u32(16);
    constexpr std::uint64_t longest = std::uint64_t{1} << 48;
    if (scale == 0 || length > longest) return {};
    return std::chrono::milliseconds(length * 1000 / scale);
}

// The display matrix swaps the axes: turned by a quarter.
bool is_on_its_side(ByteView track_header) {
    const Fields fields(track_header);
    const std::size_t matrix = fields.number(0, 1) == 1 ? 52 : 40;
    return fields.u32(matrix) == 0 && fields.u32(matrix + 4) != 0;
}

// The content of the first of the descriptors with this tag (ISO 14496-1); empty if it is none.
ByteView descriptor(ByteView bytes, unsigned tag) {
    const Fields fields(bytes);
    if (fields.number(0, 1) != tag) return {};
    std::size_t at = 1;
    std::size_t length = 0;
    constexpr std::size_t length_ends = 5;
    for (bool goes_on = true; goes_on && at < length_ends; ++at) {
        const auto byte = static_cast<std::size_t>(fields.number(at, 1));
        length = length << 7 | (byte & 0x7f);
        goes_on = (byte & 0x80) != 0;
    }
    if (at > bytes.size()) return {};
    return bytes.subspan(at, std::min(length, bytes.size() - at));
}

// The sample entry always says 2; what counts is in the decoder's configuration: five bits of
// object type, four of rate (15: 24 more), four of channels.
std::uint32_t aac_channels(ByteView sound_entry) {
    constexpr std::size_t sound_fields = 28;
    constexpr std::size_t stream_fields = 3;
    constexpr std::size_t decoder_fields = 13;
    const ByteView box = find(after(sound_entry, sound_fields), "esds");
    const ByteView stream = after(descriptor(after(box, 4), 3), stream_fields);
    const ByteView config = descriptor(after(descriptor(stream, 4), decoder_fields), 5);
    const Fields fields(config);
    const std::uint32_t first = fields.u16(0);
    const std::uint32_t rate = first >> 7 & 0xf;
    if (rate != 0xf) return first >> 3 & 0xf;
    return static_cast<std::uint32_t>(fields.number(4, 1)) >> 3 & 0xf;
}

MovieTrack read_track(ByteView track) {
    const ByteView media = find(track, "mdia");
    const ByteView description = find(find(find(media, "minf"), "stbl"), "stsd");
    MovieTrack facts;
    facts.kind = Fields(find(media, "hdlr")).name(8);
    facts.duration = duration_in(find(media, "mdhd"));
    constexpr std::size_t entry = 8;  // After version, flags and count.
    const Fields fields(description);
    facts.codec = fields.name(entry + 4);
    if (facts.kind == "soun") {
        facts.channels = aac_channels(find(after(description, entry), "mp4a"));
    } else if (facts.kind == "vide") {
        facts.width = fields.u16(entry + 32);
        facts.height = fields.u16(entry + 34);
        if (is_on_its_side(find(track, "tkhd"))) std::swap(facts.width, facts.height);
    }
    return facts;
}

Result<> read_movie(const Descriptor& file,
                    std::uint64_t offset,
                    std::uint64_t size,
                    MovieFacts& facts) {
    if (size > limits::movie_head_bytes_max) return not_a_movie("its head is too long");
    Bytes bytes(static_cast<std::size_t>(size));
    TRY(const std::size_t got, read_at(file, bytes, offset));
    if (got != bytes.size()) return not_a_movie("it ends early");
    facts.duration = duration_in(find(bytes, "mvhd"));
    facts.has_metadata = facts.has_metadata || holds_metadata(bytes);
    ByteView rest = bytes;
    while (const auto box = next_box(rest)) {
        if (box->name == "trak") facts.tracks.push_back(read_track(box->content));
    }
    return {};
}

Result<> read_top(const Descriptor& file,
                  std::uint64_t offset,
                  const BoxHead& box,
                  MovieFacts& facts) {
    const std::uint64_t content = box.size - box.head_size;
    if (box.name == "ftyp") {
        std::array<std::byte, 4> brand{};
        CHECK(read_at(file, brand, offset + box.head_size));
        facts.brand = as_text(brand);
    } else if (box.name == "moov") {
        CHECK(read_movie(file, offset + box.head_size, content, facts));
    } else if (box.name == "mdat") {
        facts.has_media = facts.has_media || content > 0;
    } else if (is_metadata(box.name)) {
        facts.has_metadata = true;
    }
    return {};
}

}  // namespace

Result<MovieFacts> read_movie_facts(const Descriptor& file) {
    constexpr int boxes_max = 64;
    TRY(const std::uint64_t size, size_of(file));
    MovieFacts facts;
    std::uint64_t offset = 0;
    for (int count = 0; offset < size; ++count) {
        if (count == boxes_max) return not_a_movie("too many boxes");
        std::array<std::byte, long_head> head{};
        TRY(const std::size_t got, read_at(file, head, offset));
        const auto box = read_head(ByteView(head).first(got), size - offset);
        if (!box) return not_a_movie("a box is longer than the file");
        if (offset == 0 && box->name != "ftyp") return not_a_movie("it begins otherwise");
        CHECK(read_top(file, offset, *box, facts));
        offset += box->size;
    }
    if (facts.tracks.empty()) return not_a_movie("it has no tracks");
    return facts;
}

Result<PictureSize> read_jpeg_size(const Descriptor& file) {
    constexpr std::size_t head_bytes = 64 * limits::KiB;
    Bytes bytes(head_bytes);
    TRY(const std::size_t got, read_at(file, bytes, 0));
    bytes.resize(got);
    const Fields fields(bytes);
    if (fields.u16(0) != 0xffd8) return fail(Errc::corrupt, "the product is not a JPEG");
    for (std::size_t at = 2; at + 9 < bytes.size();) {
        const std::uint32_t marker = fields.u16(at);
        const bool is_frame = marker >= 0xffc0 && marker <= 0xffc2;
        if (is_frame) {
            const PictureSize size{fields.u16(at + 7), fields.u16(at + 5)};
            if (size.width > 0 && size.height > 0) return size;
            break;
        }
        if (marker < 0xffc3 || marker == 0xffda) break;
        at += 2 + fields.u16(at + 2);
    }
    return fail(Errc::corrupt, "the product is a JPEG without a picture");
}

}  // namespace satchel::media
