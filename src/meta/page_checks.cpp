#include "meta/page_checks.hpp"

#include "base/log.hpp"
#include "crypto/crc32c.hpp"
#include "meta/sqlite_connection.hpp"
#include "meta/sqlite_traces.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <string_view>
#include <thread>
#include <unordered_set>

namespace satchel::meta {
namespace {

using namespace std::chrono_literals;

using Page = std::array<std::byte, page_bytes>;

constexpr std::size_t checked_bytes = page_bytes - page_check_bytes;
constexpr std::uint64_t pages_per_look = 256;
// A page that is being written just now, by another thread or process, may be read half: read
// again, after a while, it is whole. Only a damaged page takes all of them.
constexpr std::array waits_before_reads{0ms, 1ms, 5ms, 20ms};

// In the first page (docs of SQLite: "The Database Header").
constexpr std::size_t reserved_at = 20;
constexpr std::size_t application_at = 68;
constexpr std::size_t header_bytes = 100;

constexpr std::size_t log_header_bytes = 32;
constexpr std::size_t frame_header_bytes = 24;

// Begun with the number: a page that was written to another's place does not agree. Over the page
// as it is with its unused parts cleared, so that clearing them in place (meta/sqlite_traces.hpp),
// which a power cut may leave half done, changes nothing.
std::uint32_t check_of(ByteView page, std::uint64_t number) {
    Page cleared;
    std::ranges::copy(page, cleared.begin());
    clear_unused(cleared, number == 1 ? header_bytes : 0);
    return crypto::crc32c(static_cast<std::uint32_t>(number),
                          std::span(cleared).first(checked_bytes));
}

bool is_zero(ByteView bytes) {
    return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

// Either of two marks: one flipped bit does not make the file another program's.
bool is_ours(ByteView header) {
    const bool has_room = std::to_integer<std::size_t>(header[reserved_at]) == page_check_bytes;
    return has_room || as_text(header.subspan(application_at, 4)) == "SATC";
}

class DatabaseFile final : public VfsFile {
public:
    DatabaseFile(const char* path, sqlite3_file* below)
        : VfsFile(below), path_(path == nullptr ? "" : path) {}

    int read(void* to, int n, sqlite3_int64 at) override;
    int write(const void* from, int n, sqlite3_int64 at) override;

private:
    enum class Owner : std::uint8_t { unknown, ours, another };

    int find_owner();
    int read_page(std::byte* to, std::uint64_t number);
    int read_pages(std::byte* to, std::size_t n, std::uint64_t at);

    std::string path_;
    Owner owner_ = Owner::unknown;
    Page page_{};
};

int DatabaseFile::find_owner() {
    std::array<std::byte, header_bytes> header{};
    const int code = VfsFile::read(header.data(), static_cast<int>(header.size()), 0);
    // Later pages may be written before the first, which is a hole until then.
    if (code == SQLITE_OK && !is_zero(header))
        owner_ = is_ours(header) ? Owner::ours : Owner::another;
    return code == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : code;
}

// `to` has page_bytes. What the file ends before comes as zeros.
int DatabaseFile::read_page(std::byte* to, std::uint64_t number) {
    const auto at = static_cast<sqlite3_int64>((number - 1) * page_bytes);
    for (const auto wait : waits_before_reads) {
        if (wait > 0ms) std::this_thread::sleep_for(wait);
        const int code = VfsFile::read(to, static_cast<int>(page_bytes), at);
        if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) return code;
        if (agrees_with_check({to, page_bytes}, number)) return code;
    }
    log::error("metadata_page_damaged", {{"file", path_}, {"page", number}});
    return damaged_page;
}

// More than a page, or across two: what a damaged header makes the engine do.
int DatabaseFile::read_pages(std::byte* to, std::size_t n, std::uint64_t at) {
    while (n > 0) {
        const std::size_t skip = at % page_bytes;
        const std::size_t part = std::min(n, page_bytes - skip);
        const int code = read_page(page_.data(), at / page_bytes + 1);
        if (code != SQLITE_OK) return code;
        std::memcpy(to, page_.data() + skip, part);
        to += part;
        n -= part;
        at += part;
    }
    return SQLITE_OK;
}

int DatabaseFile::read(void* to, int n, sqlite3_int64 at) {
    if (owner_ == Owner::unknown) {
        if (const int code = find_owner(); code != SQLITE_OK) return code;
    }
    const auto size = static_cast<std::size_t>(n);
    // Less than a page is the header, which is read before the log is looked at. A power cut may
    // have torn it while the log has it whole; as a page it is read from there.
    if (owner_ != Owner::ours || size < page_bytes) return VfsFile::read(to, n, at);
    const auto begin = static_cast<std::uint64_t>(at);
    auto* const bytes = static_cast<std::byte*>(to);
    const bool is_page = size == page_bytes && begin % page_bytes == 0;
    return is_page ? read_page(bytes, begin / page_bytes + 1) : read_pages(bytes, size, begin);
}

int DatabaseFile::write(const void* from, int n, sqlite3_int64 at) {
    const auto begin = static_cast<std::uint64_t>(at);
    const ByteView bytes{static_cast<const std::byte*>(from), static_cast<std::size_t>(n)};
    if (begin == 0 && bytes.size() >= header_bytes) {
        owner_ = is_ours(bytes) ? Owner::ours : Owner::another;
    } else if (owner_ == Owner::unknown) {
        if (const int code = find_owner(); code != SQLITE_OK) return code;
    }
    const bool is_page = bytes.size() == page_bytes && begin % page_bytes == 0;
    // Still unknown: new, and its first page is yet to be written.
    if (owner_ == Owner::another || !is_page) return VfsFile::write(from, n, at);
    std::ranges::copy(bytes, page_.begin());
    write_page_check(page_, begin / page_bytes + 1);
    return VfsFile::write(page_.data(), n, at);
}

// Pages that the log of this database has, by the numbers in its frames (docs of SQLite: "WAL File
// Format"): in the file they may be torn, and are copied there anew.
std::unordered_set<std::uint64_t> pages_in_log(const std::string& database) {
    std::unordered_set<std::uint64_t> numbers;
    std::ifstream log(database + "-wal", std::ios::binary);
    std::array<char, log_header_bytes> header{};
    if (!log.read(header.data(), header.size())) return numbers;
    const std::string_view salts = std::string_view(header.data(), header.size()).substr(16, 8);
    std::array<char, frame_header_bytes> frame{};
    while (log.read(frame.data(), frame.size())) {
        const std::string_view text(frame.data(), frame.size());
        if (text.substr(8, 8) != salts) break;
        std::uint64_t number = 0;
        for (const char c : text.substr(0, 4)) number = number << 8 | static_cast<unsigned char>(c);
        numbers.insert(number);
        log.seekg(page_bytes, std::ios::cur);
    }
    return numbers;
}

}  // namespace

void write_page_check(std::span<std::byte> page, std::uint64_t number) {
    const std::uint32_t check = check_of(page, number);
    for (std::size_t i = 0; i < page_check_bytes; ++i) {
        page[checked_bytes + i] = static_cast<std::byte>(check >> (8 * i));
    }
}

bool agrees_with_check(ByteView page, std::uint64_t number) {
    if (read_u32(page.data() + checked_bytes) == check_of(page, number)) return true;
    return is_zero(page);
}

PageVfs::PageVfs(const std::string& base) : VfsOver(unique_vfs_name("satchel-pages", this), base) {}

std::unique_ptr<VfsFile> PageVfs::wrap(const char* path, sqlite3_file* below, int flags) {
    if ((flags & SQLITE_OPEN_MAIN_DB) == 0) return std::make_unique<VfsFile>(below);
    return std::make_unique<DatabaseFile>(path, below);
}

Result<PageLook> look_at_pages(Session& session, std::uint64_t from) {
    auto* const connection = dynamic_cast<SqliteConnection*>(&session);
    ASSERT(connection != nullptr);
    TRY(sqlite3_file* const file, database_file(connection->handle()));
    sqlite3_int64 size = 0;
    int code = file->pMethods->xFileSize(file, &size);
    const std::uint64_t pages = (static_cast<std::uint64_t>(size) + page_bytes - 1) / page_bytes;
    const std::uint64_t end = std::min(pages + 1, from + pages_per_look);
    PageLook look;
    Page page;
    for (std::uint64_t number = from; code == SQLITE_OK && number < end; ++number) {
        const auto at = static_cast<sqlite3_int64>((number - 1) * page_bytes);
        code = file->pMethods->xRead(file, page.data(), static_cast<int>(page.size()), at);
        if (code == damaged_page) look.damaged.push_back(number);
        if (code == damaged_page || code == SQLITE_IOERR_SHORT_READ) code = SQLITE_OK;
    }
    if (code != SQLITE_OK) {
        return std::unexpected(sqlite_error(connection->handle(), code, "look at the pages"));
    }
    if (!look.damaged.empty()) {
        const auto logged = pages_in_log(sqlite3_db_filename(connection->handle(), "main"));
        std::erase_if(look.damaged, [&](std::uint64_t page) { return logged.contains(page); });
    }
    look.next = end <= pages ? end : 0;
    return look;
}

}  // namespace satchel::meta
