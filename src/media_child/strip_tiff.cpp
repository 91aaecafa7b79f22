#include "media_child/numbers.hpp"
#include "media_child/strip.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace satchel::media {
namespace {

constexpr std::uint64_t entry_bytes = 12;
constexpr std::size_t directories_max = 4096;
constexpr std::uint16_t sub_directories_tag = 330;

// TIFF 6.0, the supplements, and ICC.1 annex B: what a decoder needs. Rising.
constexpr auto kept_tags = std::to_array<std::uint16_t>(
    {254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 274, 277, 278,  279,
     280, 281, 282, 283, 284, 288, 289, 290, 291, 292, 293, 296, 297, 301, 317,  318,
     319, 320, 321, 322, 323, 324, 325, 330, 332, 334, 336, 338, 339, 340, 341,  342,
     347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532, 34675});
static_assert(std::ranges::is_sorted(kept_tags));

// EXIF, GPS and interoperability directories, whose entries have values of their own.
constexpr auto directory_tags = std::to_array<std::uint16_t>({34665, 34853, 40965});

struct Entry {
    std::uint64_t at = 0;
    std::uint16_t tag = 0;
    std::uint64_t value_at = 0;  // In the entry itself if it fits.
    std::uint64_t value_bytes = 0;
    unsigned unit = 0;  // Bytes.
};

class Stripper {
public:
    Stripper(std::span<std::byte> file, Order order)
        : file_(file), numbers_(file, order), order_(order) {}

    bool strip_chain(std::uint64_t directory);

private:
    bool strip_one(std::uint64_t directory, std::uint64_t& next);
    bool remove(const Entry& entry);
    bool wipe_directory(std::uint64_t directory);
    Entry entry_at(std::uint64_t at) const;
    bool wipe(std::uint64_t at, std::uint64_t length);
    void write(std::uint64_t at, std::uint64_t value, unsigned width);

    std::span<std::byte> file_;
    Numbers numbers_;
    Order order_;
    std::set<std::uint64_t> seen_;
};

unsigned unit_of(std::uint16_t type) {
    static constexpr auto units =
        std::to_array<unsigned>({0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4});
    return type < units.size() ? units[type] : 0;
}

Entry Stripper::entry_at(std::uint64_t at) const {
    Entry entry{.at = at, .tag = numbers_.u16(at)};
    entry.unit = unit_of(numbers_.u16(at + 2));
    entry.value_bytes = std::uint64_t(entry.unit) * numbers_.u32(at + 4);
    entry.value_at = entry.value_bytes <= 4 ? at + 8 : numbers_.u32(at + 8);
    return entry;
}

bool Stripper::wipe(std::uint64_t at, std::uint64_t length) {
    if (at > file_.size() || file_.size() - at < length) return false;
    std::ranges::fill(file_.subspan(at, length), std::byte{0});
    return true;
}

void Stripper::write(std::uint64_t at, std::uint64_t value, unsigned width) {
    for (unsigned i = 0; i < width; ++i) {
        const unsigned shift = 8 * (order_ == Order::little ? i : width - 1 - i);
        file_[at + i] = static_cast<std::byte>(value >> shift & 0xff);
    }
}

// An entry whose value lies outside of the file is only an entry.
bool Stripper::remove(const Entry& entry) {
    if (std::ranges::find(directory_tags, entry.tag) != directory_tags.end()) {
        wipe_directory(numbers_.u32(entry.at + 8));
    } else if (entry.value_bytes > 4) {
        wipe(entry.value_at, entry.value_bytes);
    }
    return numbers_.good();
}

bool Stripper::wipe_directory(std::uint64_t directory) {
    if (seen_.size() > directories_max || !seen_.insert(directory).second) return true;
    if (directory > file_.size() || file_.size() - directory < 2) return true;
    const std::uint64_t count = numbers_.u16(directory);
    if ((file_.size() - directory - 2) / entry_bytes < count) return true;
    for (std::uint64_t i = 0; i < count; ++i) {
        remove(entry_at(directory + 2 + i * entry_bytes));
    }
    return wipe(directory, 2 + count * entry_bytes);
}

bool Stripper::strip_one(std::uint64_t directory, std::uint64_t& next) {
    const std::uint64_t count = numbers_.u16(directory);
    const std::uint64_t entries = directory + 2;
    next = numbers_.u32(entries + count * entry_bytes);
    if (!numbers_.good() || count == 0) return false;
    std::uint64_t kept = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        const Entry entry = entry_at(entries + i * entry_bytes);
        if (!std::ranges::binary_search(kept_tags, entry.tag)) {
            if (!remove(entry)) return false;
            continue;
        }
        if (entry.tag == sub_directories_tag && entry.unit == 4) {
            for (std::uint64_t at = 0; at + 4 <= entry.value_bytes; at += 4) {
                const std::uint64_t directory_at = numbers_.u32(entry.value_at + at);
                if (!numbers_.good() || !strip_chain(directory_at)) return false;
            }
        }
        std::ranges::copy(file_.subspan(entry.at, entry_bytes),
                          file_.subspan(entries + kept * entry_bytes, entry_bytes).begin());
        ++kept;
    }
    const std::uint64_t end = entries + kept * entry_bytes;
    write(directory, kept, 2);
    wipe(end, (count - kept) * entry_bytes + 4);
    write(end, next, 4);
    return true;
}

bool Stripper::strip_chain(std::uint64_t directory) {
    while (directory != 0) {
        if (seen_.size() > directories_max || !seen_.insert(directory).second) return false;
        std::uint64_t next = 0;
        if (!strip_one(directory, next)) return false;
        directory = next;
    }
    return true;
}

}  // namespace

bool strip_tiff(std::span<std::byte> file) {
    const std::optional<Order> order = byte_order_of(file);
    if (!order) return false;
    const std::uint64_t first = Numbers(file, *order).u32(4);
    return first != 0 && Stripper(file, *order).strip_chain(first);
}

}  // namespace satchel::media
