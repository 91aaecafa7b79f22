#include "media/compound_file.hpp"

#include "base/limits.hpp"
#include "media/fields.hpp"

#include <array>

namespace satchel::media {
namespace {

using namespace std::string_view_literals;

constexpr Detected doc = exactly(Kind::document, "application/msword", "Word 97 document");
constexpr Detected xls = exactly(Kind::document, "application/vnd.ms-excel", "Excel 97 workbook");
constexpr Detected ppt =
    exactly(Kind::document, "application/vnd.ms-powerpoint", "PowerPoint 97 presentation");
constexpr Detected sealed = probably(Kind::document, {}, "encrypted Office document");
constexpr Detected other = probably(Kind::document, {}, "compound file");
constexpr Detected installer = forbidden(Kind::program, Forbidden::program, "Windows installer");

// A compound file's sectors are numbered; its FAT says for each which one comes next.
constexpr std::uint32_t sector_max = 0xFFFFFFFA;  // Above: marks, such as the end of a chain.
constexpr std::size_t entry_bytes = 128;
constexpr std::size_t fat_sectors_in_header = 109;

struct Name {
    std::u16string_view text;
    Detected found;
};
constexpr std::array stream_names{
    Name{u"WordDocument", doc},
    Name{u"Workbook", xls},
    Name{u"Book", xls},
    Name{u"PowerPoint Document", ppt},
    Name{u"EncryptedPackage", sealed},
};

// The first eight bytes of the root's class; the rest is common to all of Microsoft's.
struct RootClass {
    std::string_view begin;
    Detected found;
};
constexpr std::string_view class_end = "\xc0\0\0\0\0\0\0\x46"sv;
constexpr std::array root_classes{
    RootClass{"\x00\x09\x02\0\0\0\0\0"sv, doc},       RootClass{"\x06\x09\x02\0\0\0\0\0"sv, doc},
    RootClass{"\x10\x08\x02\0\0\0\0\0"sv, xls},       RootClass{"\x20\x08\x02\0\0\0\0\0"sv, xls},
    RootClass{"\x84\x10\x0c\0\0\0\0\0"sv, installer},  // Package,
    RootClass{"\x86\x10\x0c\0\0\0\0\0"sv, installer},  // patch,
    RootClass{"\x82\x10\x0c\0\0\0\0\0"sv, installer},  // transform.
};

class Sectors {
public:
    explicit Sectors(Window& window)
        : window_(window), bytes_(le16(window.head(), 30) == 12 ? 4096 : 512) {}

    std::size_t bytes() const { return bytes_; }

    // Part of a sector; less of it or nothing beyond the end of the content.
    Async<ByteView> at(std::uint32_t sector, std::size_t offset, std::size_t length) {
        if (sector > sector_max) co_return ByteView{};
        co_return co_await window_.at((std::uint64_t{sector} + 1) * bytes_ + offset, length);
    }

    // What follows `sector` in its chain; above sector_max at the end.
    Async<std::uint32_t> after(std::uint32_t sector) {
        const std::size_t per_sector = bytes_ / 4;
        CO_TRY(const std::uint32_t fat, co_await fat_sector(sector / per_sector));
        CO_TRY(const ByteView next, co_await at(fat, sector % per_sector * 4, 4));
        co_return next.size() == 4 ? le32(next, 0) : UINT32_MAX;
    }

private:
    // Where the FAT's part number `index` is: the first ones stand in the header, the others in
    // a chain of sectors of their own.
    Async<std::uint32_t> fat_sector(std::size_t index) {
        const ByteView head = window_.head();
        if (index < fat_sectors_in_header) co_return le32(head, 76 + index * 4);
        index -= fat_sectors_in_header;
        const std::size_t per_sector = bytes_ / 4 - 1;
        std::uint32_t sector = le32(head, 68);
        for (std::size_t hops = 0; hops < limits::detect_difat_sectors_max; ++hops) {
            const std::size_t field = index < per_sector ? index : per_sector;
            CO_TRY(const ByteView value, co_await at(sector, field * 4, 4));
            if (value.size() < 4) break;
            if (field == index) co_return le32(value, 0);
            sector = le32(value, 0);
            index -= per_sector;
        }
        co_return UINT32_MAX;
    }

    Window& window_;
    std::size_t bytes_;
};

Detected find_class(ByteView root) {
    if (!has(root, 88, class_end)) return {};
    for (const RootClass& known : root_classes) {
        if (has(root, 80, known.begin)) return known.found;
    }
    return {};
}

bool is_named(ByteView entry, std::u16string_view name) {
    if (le16(entry, 64) != (name.size() + 1) * 2) return false;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (le16(entry, i * 2) != name[i]) return false;
    }
    return true;
}

Detected find_name(ByteView entry) {
    constexpr std::uint8_t stream = 2;
    if (u8(entry, 66) != stream) return {};
    for (const Name& name : stream_names) {
        if (is_named(entry, name.text)) return name.found;
    }
    return {};
}

}  // namespace

Async<Detected> detect_compound_file(Window& window) {
    Sectors sectors(window);
    std::uint32_t sector = le32(window.head(), 48);
    for (std::size_t count = 0;
         count < limits::detect_directory_sectors_max && sector <= sector_max; ++count) {
        CO_TRY(const ByteView entries, co_await sectors.at(sector, 0, sectors.bytes()));
        if (entries.size() < entry_bytes) break;
        if (count == 0) {
            const Detected found = find_class(entries);
            if (found.certainty != Certainty::none) co_return found;
        }
        for (std::size_t at = 0; at + entry_bytes <= entries.size(); at += entry_bytes) {
            const Detected found = find_name(entries.subspan(at, entry_bytes));
            if (found.certainty != Certainty::none) co_return found;
        }
        CO_TRY(sector, co_await sectors.after(sector));
    }
    co_return other;
}

}  // namespace satchel::media
