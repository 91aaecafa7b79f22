#include "media/zip_archive.hpp"

#include "base/limits.hpp"
#include "media/fields.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

namespace satchel::media {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view entry_mark = "PK\x01\x02"sv;
constexpr std::string_view local_mark = "PK\x03\x04"sv;
constexpr std::string_view end_mark = "PK\x05\x06"sv;
constexpr std::string_view end64_mark = "PK\x06\x06"sv;
constexpr std::string_view locator64_mark = "PK\x06\x07"sv;

constexpr std::size_t entry_bytes = 46;
constexpr std::size_t local_bytes = 30;
constexpr std::size_t end_bytes = 22;
constexpr std::size_t end64_bytes = 56;
constexpr std::size_t locator64_bytes = 20;
// The end record with a short comment; with a long one it is looked for in a whole page.
constexpr std::size_t near_end_bytes = 1024;
// Longer names are none that we know.
constexpr std::size_t name_bytes_max = 64;

constexpr Detected zip = exactly(Kind::archive, "application/zip", "ZIP archive");
constexpr Detected zip_perhaps = probably(Kind::archive, "application/zip", "ZIP archive");
constexpr Detected docx =
    exactly(Kind::document,
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "Word document");
constexpr Detected xlsx =
    exactly(Kind::document,
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "Excel workbook");
constexpr Detected pptx =
    exactly(Kind::document,
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            "PowerPoint presentation");
constexpr Detected pages =
    exactly(Kind::document, "application/x-iwork-pages-sffpages", "Pages document");
constexpr Detected numbers =
    exactly(Kind::document, "application/x-iwork-numbers-sffnumbers", "Numbers spreadsheet");
constexpr Detected keynote =
    exactly(Kind::document, "application/x-iwork-keynote-sffkey", "Keynote presentation");
constexpr Detected iwork = probably(Kind::document, {}, "iWork document");
constexpr Detected epub = exactly(Kind::document, "application/epub+zip", "EPUB book");
constexpr Detected pass = exactly(Kind::archive, "application/vnd.apple.pkpass", "Wallet pass");
constexpr Detected java = forbidden(Kind::program, Forbidden::program, "Java or Android program");

// What the names of an archive gave away.
struct Names {
    bool program = false;
    bool content_types = false;
    bool word = false;
    bool excel = false;
    bool powerpoint = false;
    bool slide = false;        // Keynote.
    bool iwork_index = false;  // In a form that does not say of which program.
    bool keynote_09 = false;
    bool mimetype = false;
    bool container = false;  // Where EPUB names its contents.
    bool pass = false;
    std::optional<std::uint64_t> iwork_document;  // Where its local header stands.
};

// Whether every name was seen.
enum class AllNames : std::uint8_t { no, yes };

void note_iwork(std::string_view name, std::uint64_t local_header, Names& names) {
    if (name == "Index/Document.iwa") names.iwork_document = local_header;
    if (name.starts_with("Index/Slide") || name.starts_with("Index/MasterSlide")) {
        names.slide = true;
    }
    if (name == "Index.zip" || name == "buildVersionHistory.plist") names.iwork_index = true;
    if (name == "index.apxl") names.keynote_09 = true;
}

// Java finds its manifest in any case.
bool is_java_manifest(std::string_view name) {
    return std::ranges::equal(name, "META-INF/MANIFEST.MF"sv, {},
                              [](char c) { return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c; });
}

void note(std::string_view name, std::uint64_t local_header, Names& names) {
    if (is_java_manifest(name) || name == "AndroidManifest.xml" || name == "classes.dex") {
        names.program = true;
    }
    if (name == "[Content_Types].xml") names.content_types = true;
    if (name.starts_with("word/")) names.word = true;
    if (name.starts_with("xl/")) names.excel = true;
    if (name.starts_with("ppt/")) names.powerpoint = true;
    if (name == "mimetype") names.mimetype = true;
    if (name == "META-INF/container.xml") names.container = true;
    if (name == "pass.json") names.pass = true;
    note_iwork(name, local_header, names);
}

struct Directory {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    // Where the archive begins in the content: its offsets count from there.
    std::uint64_t base = 0;
};

// The end record nearest to the end of `tail`, which ends the content.
std::optional<std::size_t> find_end_record(ByteView tail) {
    const std::string_view text = as_text(tail);
    for (std::size_t at = text.rfind(end_mark); at != std::string_view::npos;
         at = at == 0 ? std::string_view::npos : text.rfind(end_mark, at - 1)) {
        const std::size_t comment_bytes = le16(tail, at + end_bytes - 2);
        if (text.size() - at >= end_bytes + comment_bytes) return at;
    }
    return std::nullopt;
}

// The directory that the record at `end_at` describes: it stands right before the record, its
// own offset then tells how much was put in front of the archive.
std::optional<Directory> place(std::uint64_t end_at, std::uint64_t size, std::uint64_t offset) {
    if (size > end_at || offset > end_at - size) return std::nullopt;
    const std::uint64_t begin = end_at - size;
    return Directory{begin, end_at, begin - offset};
}

// The 64-bit record, for archives whose numbers do not fit the other one.
Async<std::optional<Directory>> read_end64(Window& window, std::uint64_t end_at) {
    if (end_at < locator64_bytes + end64_bytes) co_return std::nullopt;
    // The record stands before its locator, unless it is of a kind that nobody writes.
    const std::uint64_t record_at = end_at - locator64_bytes - end64_bytes;
    CO_TRY(const ByteView record, co_await window.at(record_at, end64_bytes + locator64_bytes));
    if (!has(record, 0, end64_mark) || !has(record, end64_bytes, locator64_mark)) {
        co_return std::nullopt;
    }
    co_return place(record_at, le64(record, 40), le64(record, 48));
}

Async<std::optional<Directory>> find_directory(Window& window) {
    for (const std::size_t length : {near_end_bytes, limits::detect_page_bytes}) {
        const std::uint64_t tail_at =
            window.size() - std::min<std::uint64_t>(length, window.size());
        CO_TRY(const ByteView tail, co_await window.at(tail_at, length));
        const auto at = find_end_record(tail);
        if (!at) continue;
        const std::uint64_t size = le32(tail, *at + 12);
        const std::uint64_t offset = le32(tail, *at + 16);
        if (size != UINT32_MAX && offset != UINT32_MAX) {
            co_return place(tail_at + *at, size, offset);
        }
        co_return co_await read_end64(window, tail_at + *at);
    }
    co_return std::nullopt;
}

// Whether every entry of the directory was seen.
Async<bool> read_directory(Window& window, const Directory directory, Names& names) {
    std::uint64_t at = directory.begin;
    std::size_t left = limits::detect_zip_entries_max;
    while (at < directory.end) {
        // A page at once: entries are short and many.
        const std::uint64_t rest = directory.end - at;
        const auto wanted = std::min<std::uint64_t>(rest, limits::detect_page_bytes);
        CO_TRY(const ByteView page, co_await window.at(at, static_cast<std::size_t>(wanted)));
        std::size_t done = 0;
        while (left > 0 && has(page, done, entry_mark)) {
            const ByteView entry = page.subspan(done);
            const std::size_t name_bytes = le16(entry, 28);
            const std::size_t whole = entry_bytes + name_bytes + le16(entry, 30) + le16(entry, 32);
            if (whole > entry.size()) break;
            note(text_at(entry, entry_bytes, std::min(name_bytes, name_bytes_max)),
                 directory.base + le32(entry, 42), names);
            done += whole;
            --left;
        }
        if (done == 0) co_return false;
        at += done;
    }
    co_return true;
}

// The entries at the beginning, as far as their headers tell where the next one is.
void read_local_headers(ByteView head, Names& names) {
    std::size_t at = 0;
    while (at < head.size() && has(head, at, local_mark)) {
        const std::size_t name_bytes = le16(head, at + 26);
        note(text_at(head, at + local_bytes, std::min(name_bytes, name_bytes_max)), at, names);
        const bool sizes_follow_later = (le16(head, at + 6) & 8U) != 0;
        if (sizes_follow_later) break;
        at += local_bytes + name_bytes + le16(head, at + 28) + le32(head, at + 18);
    }
}

// A protobuf varint at `at`, which is moved behind it.
std::uint64_t take_varint(ByteView bytes, std::size_t& at) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        const std::uint8_t byte = u8(bytes, at++);
        value |= std::uint64_t{byte & 0x7FU} << shift;
        if (byte < 0x80) break;
    }
    return value;
}

// Index/Document.iwa begins with its root object, and that one's type tells Pages from Numbers.
// A block of Snappy (one byte and a length of three, the size unpacked, the tag of a literal),
// then the object's header: its length, field 1 the id, field 2 a message, field 1 of that the
// type.
// Keynote's is of the same type as Numbers', but has slides beside it.
Detected read_iwork_document(ByteView entry, AllNames all) {
    constexpr std::uint64_t pages_document = 10000;
    constexpr std::uint64_t numbers_document = 1;
    const bool is_stored = has(entry, 0, local_mark) && le16(entry, 8) == 0;
    if (!is_stored) return iwork;
    std::size_t at = local_bytes + le16(entry, 26) + le16(entry, 28);
    if (u8(entry, at) != 0) return iwork;
    at += 4;
    take_varint(entry, at);
    const unsigned tag = u8(entry, at);
    if ((tag & 3U) != 0) return iwork;
    constexpr unsigned tag_with_length = 60;  // And above: the length follows in 1 to 4 bytes.
    at += 1 + (tag >> 2U < tag_with_length ? 0 : (tag >> 2U) - tag_with_length + 1);
    take_varint(entry, at);
    if (u8(entry, at++) != 0x08) return iwork;
    take_varint(entry, at);
    if (u8(entry, at++) != 0x12) return iwork;
    take_varint(entry, at);
    if (u8(entry, at++) != 0x08) return iwork;
    const std::uint64_t type = take_varint(entry, at);
    if (type == pages_document) return pages;
    return type == numbers_document && all == AllNames::yes ? numbers : iwork;
}

// EPUB begins with its type, stored as it is: Open Container Format section 4.3.
bool begins_as_epub(ByteView head) {
    return has(head, 0, local_mark) && has(head, local_bytes, "mimetype") &&
           has(head, local_bytes + 8 + le16(head, 28), "application/epub+zip");
}

Async<Detected> name_format(Window& window, const Names names, AllNames all) {
    if (names.program) co_return java;
    if (names.content_types) {
        if (names.word) co_return docx;
        if (names.excel) co_return xlsx;
        if (names.powerpoint) co_return pptx;
    }
    if (names.slide || names.keynote_09) co_return keynote;
    if (names.iwork_document) {
        constexpr std::size_t enough_bytes = 256;
        CO_TRY(const ByteView entry, co_await window.at(*names.iwork_document, enough_bytes));
        co_return read_iwork_document(entry, all);
    }
    if (begins_as_epub(window.head())) co_return epub;
    if (names.mimetype && names.container) co_return epub;
    if (names.iwork_index) co_return iwork;
    if (names.pass) co_return pass;
    co_return all == AllNames::yes ? zip : zip_perhaps;
}

}  // namespace

Async<Detected> detect_zip(Window& window) {
    Names names;
    CO_TRY(const auto directory, co_await find_directory(window));
    if (directory) {
        CO_TRY(const bool all, co_await read_directory(window, *directory, names));
        co_return co_await name_format(window, names, all ? AllNames::yes : AllNames::no);
    }
    if (!has(window.head(), 0, local_mark)) co_return Detected{};
    read_local_headers(window.head(), names);
    co_return co_await name_format(window, names, AllNames::no);
}

}  // namespace satchel::media
