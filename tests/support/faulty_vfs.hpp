// A SQLite VFS over the system's own that fails when told to.
//
// Calls that change the disk (write, sync, truncate, open) are counted from arm() on; the one
// with the given number fails, alone or with all that follow it until heal().
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstdint>
#include <string>

namespace satchel::test {

class FaultyVfs {
public:
    enum class Fault : std::uint8_t { io_error, disk_full, short_write };
    enum class Lasting : bool { no, yes };

    // Registers itself under `name`; files opened through it must be closed before it goes.
    explicit FaultyVfs(std::string name);
    ~FaultyVfs();
    FaultyVfs(const FaultyVfs&) = delete;
    FaultyVfs& operator=(const FaultyVfs&) = delete;

    const std::string& name() const { return name_; }

    void arm(int call, Fault fault, Lasting lasting);
    void heal() { armed_ = false; }
    // Whether an armed fault has happened.
    bool has_failed() const { return failed_; }

private:
    struct File;
    friend struct FileMethods;
    static int open(sqlite3_vfs*, const char*, sqlite3_file*, int, int*);

    bool fails_now();
    int error_or(int io_error) const;

    std::string name_;
    sqlite3_vfs* base_;
    sqlite3_vfs vfs_{};
    std::atomic<bool> armed_{false};
    std::atomic<bool> failed_{false};
    std::atomic<int> calls_{0};
    std::atomic<int> fail_at_{0};
    std::atomic<Fault> fault_{Fault::io_error};
    std::atomic<Lasting> lasting_{Lasting::no};
};

}  // namespace satchel::test
