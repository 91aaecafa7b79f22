// What rows leave in the database file when SQLite moves them between pages: copies in the unused
// middle of a page, which secure_delete does not reach. docs/formats/metadata.md has the why.
//
// Pages are cleared where they are, a few at a time between two batches of writes, so that nobody
// waits for it.
#pragma once

#include "meta/database.hpp"

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace satchel::meta {

struct PendingWrite;

// Overwrites what a b-tree page has in use for nothing with zeros; true if that changed it.
// `header_at` is 100 for page 1, else 0. Any other kind of page is left alone.
bool clear_unused(std::span<std::byte> page, std::size_t header_at);

// Used by the writer thread alone.
class TraceCleaner {
public:
    // The write is done once every page that is there now has been cleared.
    Result<> add(sqlite3* db, PendingWrite& write);
    bool is_busy() const { return !waiting_.empty(); }
    // Clears the next pages. The log must be empty, and nobody else may copy it meanwhile. Appends
    // the writes that are done to `done`.
    Result<> step(sqlite3* db, std::vector<PendingWrite*>& done);
    // Nothing more will be cleared: gives those that wait back.
    std::vector<PendingWrite*> give_up();

private:
    struct Waiting {
        PendingWrite* write;
        std::uint64_t pages_left;
    };
    std::vector<Waiting> waiting_;
    std::uint64_t next_ = 0;  // The page to go on with, from 0.
};

}  // namespace satchel::meta
