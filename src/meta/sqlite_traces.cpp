#include "meta/sqlite_traces.hpp"

#include "base/bytes.hpp"
#include "meta/page_checks.hpp"
#include "meta/sqlite_connection.hpp"
#include "meta/traces.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace satchel::meta {
namespace {

constexpr std::size_t first_header_at = 100;
constexpr std::uint64_t pages_per_step = 256;
// Above it, the first byte of an overflow page may look like that of a b-tree page.
constexpr std::uint64_t pages_max = std::uint64_t{0x02} << 24;

std::size_t read_u16(std::span<const std::byte> page, std::size_t at) {
    return std::to_integer<std::size_t>(page[at]) << 8 | std::to_integer<std::size_t>(page[at + 1]);
}

// See "B-tree Pages" in SQLite's description of its file format.
struct Layout {
    std::size_t unused_begin = 0;  // Behind the cell pointers,
    std::size_t unused_end = 0;    // before the first cell.
    std::size_t first_free = 0;    // Of the chain of free blocks; 0: none.
};

bool read_layout(std::span<const std::byte> page, std::size_t header_at, Layout& layout) {
    const auto type = std::to_integer<unsigned>(page[header_at]);
    const bool is_interior = type == 0x02 || type == 0x05;
    const bool is_leaf = type == 0x0a || type == 0x0d;
    if (!is_interior && !is_leaf) return false;
    const std::size_t pointers = header_at + (is_interior ? 12 : 8);
    const std::size_t cells = read_u16(page, header_at + 3);
    layout.first_free = read_u16(page, header_at + 1);
    layout.unused_begin = pointers + 2 * cells;
    layout.unused_end = read_u16(page, header_at + 5);
    if (layout.unused_begin > layout.unused_end || layout.unused_end > page.size()) return false;
    for (std::size_t i = 0; i < cells; ++i) {
        const std::size_t cell = read_u16(page, pointers + 2 * i);
        if (cell < layout.unused_end || cell >= page.size()) return false;
    }
    return true;
}

bool clear(std::span<std::byte> bytes) {
    const bool is_clear = std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
    if (!is_clear) std::ranges::fill(bytes, std::byte{0});
    return !is_clear;
}

Result<std::uint64_t> page_count(sqlite3* db) {
    TRY(sqlite3_file* const file, database_file(db));
    sqlite3_int64 size = 0;
    const int code = file->pMethods->xFileSize(file, &size);
    if (code != SQLITE_OK) return std::unexpected(sqlite_error(db, code, "size of the database"));
    return static_cast<std::uint64_t>(size) / page_bytes;
}

Result<> clear_page(sqlite3* db, sqlite3_file* file, std::uint64_t number) {
    std::array<std::byte, page_bytes> page{};
    const auto at = static_cast<sqlite3_int64>(number * page_bytes);
    int code = file->pMethods->xRead(file, page.data(), static_cast<int>(page.size()), at);
    if (code == SQLITE_IOERR_SHORT_READ) return {};
    if (code == SQLITE_OK && clear_unused(page, number == 0 ? first_header_at : 0)) {
        code = file->pMethods->xWrite(file, page.data(), static_cast<int>(page.size()), at);
    }
    if (code != SQLITE_OK) return std::unexpected(sqlite_error(db, code, "clear a page"));
    return {};
}

}  // namespace

void clear_traces(Session& session) {
    auto* const connection = dynamic_cast<SqliteConnection*>(&session);
    ASSERT(connection != nullptr);
    connection->want_clearing();
}

bool clear_unused(std::span<std::byte> page, std::size_t header_at) {
    Layout layout;
    if (!read_layout(page, header_at, layout)) return false;
    bool changed =
        clear(page.subspan(layout.unused_begin, layout.unused_end - layout.unused_begin));
    std::size_t block = layout.first_free;
    while (block != 0) {
        if (block < layout.unused_end || block + 4 > page.size()) break;
        const std::size_t next = read_u16(page, block);
        const std::size_t size = read_u16(page, block + 2);
        if (size < 4 || block + size > page.size() || (next != 0 && next < block + size)) break;
        changed = clear(page.subspan(block + 4, size - 4)) || changed;
        block = next;
    }
    return changed;
}

Result<> TraceCleaner::add(sqlite3* db, PendingWrite& write) {
    TRY(const std::uint64_t pages, page_count(db));
    if (pages >= pages_max) return fail(Errc::too_large, "the database is too large to be cleared");
    waiting_.push_back({&write, pages});
    return {};
}

Result<> TraceCleaner::step(sqlite3* db, std::vector<PendingWrite*>& done) {
    TRY(sqlite3_file* const file, database_file(db));
    TRY(const std::uint64_t pages, page_count(db));
    std::uint64_t cleared = 0;
    for (; cleared < std::min(pages_per_step, pages); ++cleared) {
        if (next_ >= pages) next_ = 0;
        CHECK(clear_page(db, file, next_++));
    }
    // What the connection has in memory is from before.
    sqlite3_db_release_memory(db);
    const bool ends = std::ranges::any_of(
        waiting_, [&](const Waiting& each) { return each.pages_left <= cleared; });
    if (!ends && cleared > 0) {
        for (Waiting& each : waiting_) each.pages_left -= cleared;
        return {};
    }
    const int code = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
    if (code != SQLITE_OK) return std::unexpected(sqlite_error(db, code, "sync cleared pages"));
    std::erase_if(waiting_, [&](Waiting& each) {
        const bool is_done = each.pages_left <= cleared;
        if (is_done) {
            done.push_back(each.write);
        } else {
            each.pages_left -= cleared;
        }
        return is_done;
    });
    return {};
}

std::vector<PendingWrite*> TraceCleaner::give_up() {
    std::vector<PendingWrite*> writes;
    for (const Waiting& each : std::exchange(waiting_, {})) writes.push_back(each.write);
    return writes;
}

}  // namespace satchel::meta
