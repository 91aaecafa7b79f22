// A SQLite VFS that remembers what was made durable, so that a test can look at states a power cut
// may leave.
//
// The model: what was written since a file's last sync survives or does not, each sector of a write
// and each truncation by itself and in any order; a file that was made by SQLite has its name from
// its first sync on; a file that was removed may come back as it last was.
#pragma once

#include "base/bytes.hpp"
#include "meta/vfs_over.hpp"
#include "tests/support/power_supply.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace satchel::test {

// Thread-safe.
class PowerLossVfs final : public meta::VfsOver {
public:
    // What stands in a file when it is first opened is durable.
    PowerLossVfs(std::string name, PowerSupply& supply)
        : VfsOver(std::move(name), ""), supply_(supply) {}

    enum class Unsynced { lost, some, there };
    // Writes into `target`, an existing folder, what is left of every file. `seed` chooses `some`.
    void survive(const std::filesystem::path& target, Unsynced unsynced, unsigned seed) const;

private:
    class File;
    // A write, or a truncation to `at` bytes if `bytes` is empty.
    struct Change {
        std::uint64_t at = 0;
        Bytes bytes;
    };
    struct Content {
        Bytes durable;
        std::vector<Change> pending;
        bool has_durable_name = false;
        bool is_removed = false;
        bool removal_is_durable = false;
    };
    static void apply(const Change& change, Bytes& content);
    static std::vector<Change> sectors_of(const Change& change);
    int before_open(const char*, int) override;
    std::unique_ptr<meta::VfsFile> wrap(const char*, sqlite3_file*, int) override;
    int remove(const char*, int) override;

    PowerSupply& supply_;
    mutable std::mutex mutex_;
    std::map<std::string, Content> contents_;  // By path.
};

}  // namespace satchel::test
