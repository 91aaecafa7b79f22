// A checksum in each page of the database file, so that a bit that flips there, wherever it is, is
// found and not taken for data (docs/formats/metadata.md, "Page checksums").
//
// SQLite leaves the last bytes of every page to us. They hold the CRC-32C of all before them, begun
// with the page's number, and are written and compared below the engine. A page that does not
// agree is an error (damaged_page: Errc::corrupt) and an event in the log. The write-ahead
// log needs none: its frames have checksums of the engine's own.
#pragma once

#include "base/bytes.hpp"
#include "meta/database.hpp"
#include "meta/vfs_over.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace satchel::meta {

inline constexpr std::size_t page_bytes = 4096;
inline constexpr std::size_t page_check_bytes = 4;  // At the end of each page, little-endian.

// What the engine is told of a page that does not agree. A kind of its own, of SQLITE_CORRUPT: the
// statement fails, but neither its transaction (as after SQLITE_IOERR) nor all later writes (as
// after plain SQLITE_CORRUPT).
inline constexpr int damaged_page = SQLITE_CORRUPT | (32 << 8);

// `number` counts from 1. `page` has page_bytes.
void write_page_check(std::span<std::byte> page, std::uint64_t number);
// A page of zeros was never written, and agrees.
bool agrees_with_check(ByteView page, std::uint64_t number);

// For every connection to a database of ours. A file that is not one passes unseen.
class PageVfs final : public VfsOver {
public:
    // Over the VFS `base`; empty: the system's.
    explicit PageVfs(const std::string& base);

private:
    std::unique_ptr<VfsFile> wrap(const char* path, sqlite3_file* below, int flags) override;
};

struct PageLook {
    std::vector<std::uint64_t> damaged;  // Page numbers.
    std::uint64_t next = 0;              // Where the next look begins; 0: that was the last page.
};
// Some pages of the file, from page `from` (1: the first) on, free ones included, as they stand on
// the disk. Needs no lock and holds none, so it may run beside anything. Errc::unavailable if the
// file cannot be read.
Result<PageLook> look_at_pages(Session& session, std::uint64_t from);

}  // namespace satchel::meta
