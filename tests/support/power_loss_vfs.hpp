// A SQLite VFS that remembers what was made durable, so that a test can look at states a power cut
// may leave.
//
// The model: what was written since a file's last sync survives or does not, each write and each
// truncation by itself and in any order; a file that was made by SQLite has its name from its
// first sync on; a file that was removed may come back as it last was.
#pragma once

#include "base/bytes.hpp"
#include "tests/support/power_supply.hpp"

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace satchel::test {

// Thread-safe.
class PowerLossVfs {
public:
    // Registers itself under `name`; files opened through it must be closed before it goes. What
    // stands in a file when it is first opened is durable.
    PowerLossVfs(std::string name, PowerSupply& supply);
    ~PowerLossVfs();
    PowerLossVfs(const PowerLossVfs&) = delete;
    PowerLossVfs& operator=(const PowerLossVfs&) = delete;

    const std::string& name() const { return name_; }

    enum class Unsynced { lost, some, there };
    // Writes into `target`, an existing folder, what is left of every file. `seed` chooses `some`.
    void survive(const std::filesystem::path& target, Unsynced unsynced, unsigned seed) const;

private:
    struct File;
    friend struct PowerLossMethods;
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
    struct Registry {
        std::mutex mutex;
        std::vector<PowerLossVfs*> all;
    };
    static Registry& registry();
    static PowerLossVfs& of(sqlite3_vfs* vfs);
    static PowerLossVfs* owner_of(const char* path);
    static int open(sqlite3_vfs*, const char*, sqlite3_file*, int, int*);
    static int remove(sqlite3_vfs*, const char*, int);

    std::string name_;
    PowerSupply& supply_;
    sqlite3_vfs* base_;
    // What SQLite hands back is found to be the owner's by what stands behind it.
    struct Registered {
        sqlite3_vfs vfs;
        PowerLossVfs* owner;
    };
    Registered registered_{};
    mutable std::mutex mutex_;
    std::map<std::string, Content> contents_;  // By path.
};

}  // namespace satchel::test
