// A SQLite VFS over the system's own that fails when told to.
//
// Calls that change the disk (write, sync, truncate, open) are counted from arm() on; the one
// with the given number fails, alone or with all that follow it until heal().
#pragma once

#include "meta/vfs_over.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace satchel::test {

class FaultyVfs final : public meta::VfsOver {
public:
    enum class Fault : std::uint8_t { io_error, disk_full, short_write };
    enum class Lasting : bool { no, yes };

    explicit FaultyVfs(std::string name);

    void arm(int call, Fault fault, Lasting lasting);
    void heal() { armed_ = false; }
    // Whether an armed fault has happened.
    bool has_failed() const { return failed_; }

private:
    class File;
    int before_open(const char* /*path*/, int /*flags*/) override {
        return fails_now() ? SQLITE_CANTOPEN : SQLITE_OK;
    }
    std::unique_ptr<meta::VfsFile> wrap(const char*, sqlite3_file*, int) override;

    bool fails_now();
    int error_or(int io_error) const;

    std::atomic<bool> armed_{false};
    std::atomic<bool> failed_{false};
    std::atomic<int> calls_{0};
    std::atomic<int> fail_at_{0};
    std::atomic<Fault> fault_{Fault::io_error};
    std::atomic<Lasting> lasting_{Lasting::no};
};

}  // namespace satchel::test
