#include "media_child/numbers.hpp"
#include "media_child/strip.hpp"

#include <algorithm>
#include <map>
#include <string_view>

namespace satchel::media {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t items_max = 100'000;
constexpr std::uint64_t extents_max = 1'000'000;  // Of all items.
constexpr unsigned nesting_max = 4;
// EXIF without entries, as the payload of an item: its offset (0), then the block.
constexpr std::string_view empty_exif = "\0\0\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"sv;

struct Box {
    std::string_view type;
    std::uint64_t at = 0;
    std::uint64_t content = 0;
    std::uint64_t end = 0;
};

class Stripper {
public:
    explicit Stripper(std::span<std::byte> file) : file_(file), numbers_(file, Order::big) {}

    bool strip();

private:
    bool box_at(std::uint64_t at, std::uint64_t end, Box& box) const;
    // Calls `visit` for each box in [at, end); false if they are not boxes or it says so.
    template <class Visit>
    bool each_box(std::uint64_t at, std::uint64_t end, Visit visit) const;
    bool strip_movie(const Box& movie, unsigned depth);
    bool strip_items(const Box& meta);
    bool read_item_kinds(const Box& box, std::map<std::uint64_t, std::string_view>& kinds) const;
    bool wipe_locations(const Box& box,
                        std::uint64_t data_at,
                        const std::map<std::uint64_t, std::string_view>& kinds);
    bool wipe_extent(std::string_view kind, std::uint64_t at, std::uint64_t length);
    void free_box(const Box& box);

    std::span<std::byte> file_;
    Numbers numbers_;
};

bool is_told_of_people(std::string_view kind) {
    return kind == "Exif" || kind == "mime" || kind == "uri ";
}

bool Stripper::box_at(std::uint64_t at, std::uint64_t end, Box& box) const {
    if (end - at < 8) return false;
    std::uint64_t size = numbers_.u32(at);
    box = {.type = as_text(file_.subspan(at + 4, 4)), .at = at, .content = at + 8, .end = end};
    if (size == 1) {
        size = numbers_.read(at + 8, 8);
        box.content = at + 16;
    }
    if (box.type == "uuid") box.content += 16;
    if (size != 0) {
        if (size > end - at) return false;
        box.end = at + size;
    }
    return numbers_.good() && box.content <= box.end;
}

template <class Visit>
bool Stripper::each_box(std::uint64_t at, std::uint64_t end, Visit visit) const {
    while (at < end) {
        Box box;
        if (!box_at(at, end, box) || !visit(box)) return false;
        at = box.end;
    }
    return true;
}

void Stripper::free_box(const Box& box) {
    std::ranges::copy(as_bytes("free"), file_.subspan(box.at + 4).begin());
    std::ranges::fill(file_.subspan(box.content, box.end - box.content), std::byte{0});
}

// Of an image sequence: user data and metadata of the movie and its tracks.
bool Stripper::strip_movie(const Box& movie, unsigned depth) {
    if (depth > nesting_max) return false;
    return each_box(movie.content, movie.end, [this, depth](const Box& box) {
        if (box.type == "trak") return strip_movie(box, depth + 1);
        if (box.type == "udta" || box.type == "meta" || box.type == "uuid") free_box(box);
        return true;
    });
}

bool Stripper::read_item_kinds(const Box& box,
                               std::map<std::uint64_t, std::string_view>& kinds) const {
    const unsigned count_bytes = numbers_.read(box.content, 1) == 0 ? 2 : 4;
    return each_box(box.content + 4 + count_bytes, box.end, [this, &kinds](const Box& entry) {
        if (entry.type != "infe" || kinds.size() > items_max) return false;
        const std::uint64_t version = numbers_.read(entry.content, 1);
        if (version < 2) return true;  // Untyped: from before HEIF.
        const unsigned id_bytes = version == 2 ? 2 : 4;
        const std::uint64_t type_at = entry.content + 4 + id_bytes + 2;
        if (entry.end - entry.content < 4 + id_bytes + 2 + 4) return false;
        kinds[numbers_.read(entry.content + 4, id_bytes)] = as_text(file_.subspan(type_at, 4));
        return true;
    });
}

bool Stripper::wipe_extent(std::string_view kind, std::uint64_t at, std::uint64_t length) {
    if (length == 0 || at > file_.size() || file_.size() - at < length) return false;
    const auto extent = file_.subspan(at, length);
    std::ranges::fill(extent, kind == "mime" ? std::byte{' '} : std::byte{0});
    if (kind == "Exif" && length >= empty_exif.size()) {
        std::ranges::copy(as_bytes(empty_exif), extent.begin());
    }
    return true;
}

// ISO/IEC 14496-12 section 8.11.3.
bool Stripper::wipe_locations(const Box& box,
                              std::uint64_t data_at,
                              const std::map<std::uint64_t, std::string_view>& kinds) {
    const std::uint64_t version = numbers_.read(box.content, 1);
    if (version > 2) return false;
    const auto sizes = static_cast<unsigned>(numbers_.u16(box.content + 4));
    const unsigned offset_bytes = sizes >> 12;
    const unsigned length_bytes = sizes >> 8 & 15;
    const unsigned base_bytes = sizes >> 4 & 15;
    const unsigned index_bytes = version == 0 ? 0 : sizes & 15;
    if (std::max({offset_bytes, length_bytes, base_bytes, index_bytes}) > 8) return false;
    std::uint64_t at = box.content + 6;
    const auto next = [this, &at](unsigned width) {
        at += width;
        return numbers_.read(at - width, width);
    };
    const unsigned id_bytes = version == 2 ? 4 : 2;
    const std::uint64_t items = next(id_bytes);
    std::uint64_t extents_seen = 0;
    std::uint64_t wiped = 0;
    for (std::uint64_t i = 0; i < items && numbers_.good(); ++i) {
        const std::uint64_t id = next(id_bytes);
        const std::uint64_t method = version == 0 ? 0 : next(2) & 15;
        const bool is_elsewhere = next(2) != 0;
        const std::uint64_t base = next(base_bytes);
        const std::uint64_t extents = next(2);
        const auto kind = kinds.find(id);
        const bool goes = kind != kinds.end() && is_told_of_people(kind->second) && !is_elsewhere;
        // An extent without fields takes no bytes of the box.
        extents_seen += extents;
        if (extents_seen > extents_max) return false;
        if (goes && (method > 1 || (method == 1 && data_at == 0))) return false;
        for (std::uint64_t e = 0; e < extents && numbers_.good(); ++e) {
            next(index_bytes);
            const std::uint64_t offset = next(offset_bytes);
            const std::uint64_t length = next(length_bytes);
            const std::uint64_t from = base + offset + (method == 1 ? data_at : 0);
            if (!goes) continue;
            // More than there is: the same bytes over and over.
            if (length > file_.size() - wiped) return false;
            wiped += length;
            if (!wipe_extent(kind->second, from, length)) return false;
        }
    }
    return numbers_.good() && at <= box.end;
}

bool Stripper::strip_items(const Box& meta) {
    std::map<std::uint64_t, std::string_view> kinds;
    Box locations;
    std::uint64_t data_at = 0;
    const bool read = each_box(meta.content + 4, meta.end, [&](const Box& box) {
        if (box.type == "iloc") locations = box;
        if (box.type == "idat") data_at = box.content;
        if (box.type == "udta" || box.type == "uuid") free_box(box);
        return box.type != "iinf" || read_item_kinds(box, kinds);
    });
    if (!read || locations.end == 0) return false;
    return wipe_locations(locations, data_at, kinds);
}

bool Stripper::strip() {
    bool has_items = false;
    const bool read = each_box(0, file_.size(), [this, &has_items](const Box& box) {
        if (box.at == 0) return box.type == "ftyp";
        if (box.type == "uuid" || box.type == "udta") free_box(box);
        if (box.type == "moov") return strip_movie(box, 0);
        if (box.type != "meta") return true;
        has_items = true;
        return strip_items(box);
    });
    return read && has_items;
}

}  // namespace

bool strip_heif(std::span<std::byte> file) {
    return Stripper(file).strip();
}

}  // namespace satchel::media
