// The embedded engine: SQLite in WAL mode, synchronous=FULL, secure_delete.
#pragma once

#include "base/result.hpp"
#include "crypto/key_ring.hpp"
#include "meta/database.hpp"

#include <filesystem>
#include <memory>
#include <string>

namespace satchel::meta {

enum class Access : std::uint8_t { read_write, read_only };

struct SqliteOptions {
    std::filesystem::path file;  // Made with mode 0600 if absent (read_write).
    Access access = Access::read_write;
    // Wraps the key of the database's texts, which is made when there is none. Null: texts can
    // be neither written nor read. Used only while opening.
    const crypto::KeyRing* keys = nullptr;
    std::string vfs;  // SQLite VFS by name; empty is the system's own. Tests inject faults here.
};

// Opens, migrates (read_write only) and starts the writer thread, which the destructor stops
// after the queued writes. The error's `message` is one line for the operator: newer schema
// than this binary, not a database, no permission.
Result<std::unique_ptr<Database>> open_sqlite(const SqliteOptions& options);

}  // namespace satchel::meta
