// Disks on a bad day: one fails a chosen call, one loses power, one never syncs.
#pragma once

#include "base/bytes.hpp"
#include "tests/support/forwarding_disk.hpp"
#include "tests/support/power_supply.hpp"

#include <cstddef>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace satchel::test {

// Fails one call of the write path and works before and after it. Thread-safe.
class FaultyDisk final : public ForwardingDisk {
public:
    using ForwardingDisk::ForwardingDisk;

    enum class Fault {
        none,
        disk_full,     // Any call that may need space.
        io_error,      // Any call.
        short_write,   // A write takes one byte only, and says so: no error.
        sync_error,    // A sync of a file or folder.
        rename_error,  // A rename.
        unlink_error,  // An unlink.
    };
    // The call number `at` (from 0, from now on) of those that `fault` can hit will fail.
    void arm(Fault fault, int at);
    // No call will fail from now on. Answers whether the chosen one came.
    bool disarm();

    Result<blob::File> create(const std::string& path) override;
    Result<std::size_t> write(const blob::File& file,
                              std::span<const iovec> pieces,
                              std::uint64_t offset) override;
    Result<> start_writeback(const blob::File& file,
                             std::uint64_t offset,
                             std::uint64_t length) override;
    Result<> sync_data(const blob::File& file) override;
    Result<> rename(const std::string& from, const std::string& to) override;
    Result<> unlink(const std::string& path) override;
    Result<> sync_folder(const std::string& path) override;
    Result<> make_folder(const std::string& path) override;

private:
    bool strikes(std::initializer_list<Fault> possible);

    std::mutex mutex_;
    Fault fault_ = Fault::none;
    int calls_left_ = 0;
};

// Remembers what was made durable, so that a test can look at every state a power cut may leave.
// The model is a journalling file system: a rename is whole or not at all and keeps the folder
// it needs; names that were not synced survive in the order they were made, up to any point;
// content that was not synced may be there, be zeros or be missing. Thread-safe.
class PowerLossDisk final : public ForwardingDisk {
public:
    PowerLossDisk(blob::Disk& under, PowerSupply& supply)
        : ForwardingDisk(under), supply_(supply) {}

    // How many changes of names were not durable when the power went.
    std::size_t names_at_stake() const;

    enum class UnsyncedContent { missing, zeros, there };
    // Writes into `target`, an empty folder, what is left in `root` if the first `names_kept` of
    // the names at stake survive.
    void survive(const std::filesystem::path& root,
                 const std::filesystem::path& target,
                 std::size_t names_kept,
                 UnsyncedContent content) const;

    Result<blob::File> create(const std::string& path) override;
    Result<std::size_t> write(const blob::File& file,
                              std::span<const iovec> pieces,
                              std::uint64_t offset) override;
    Result<> start_writeback(const blob::File& file,
                             std::uint64_t offset,
                             std::uint64_t length) override;
    Result<> sync_data(const blob::File& file) override;
    Result<> rename(const std::string& from, const std::string& to) override;
    Result<> unlink(const std::string& path) override;
    Result<> sync_folder(const std::string& path) override;
    Result<> make_folder(const std::string& path) override;

private:
    struct Content {
        Bytes written;
        Bytes durable;
    };
    using ContentNumber = std::size_t;
    // What a folder tree is made of.
    struct Names {
        std::set<std::string> folders;
        std::map<std::string, ContentNumber> files;
    };
    // One change of names; `from` or `to` may be empty.
    struct Change {
        std::string from;
        std::string to;
        ContentNumber content = 0;
        bool makes_folder = false;
    };
    static void apply(const Change& change, Names& names);
    void make_durable(const Change& change);
    void change(Change change);

    PowerSupply& supply_;
    mutable std::mutex mutex_;
    std::vector<Content> contents_;
    std::map<int, ContentNumber> by_descriptor_;
    Names seen_;  // What the running process sees.
    Names durable_;
    std::vector<Change> pending_;
};

// Spares the tests' own disk, for tests in which a model alone knows what is durable.
class UnsyncedDisk final : public ForwardingDisk {
public:
    using ForwardingDisk::ForwardingDisk;
    Result<> sync_data(const blob::File&) override { return {}; }
    Result<> sync_folder(const std::string&) override { return {}; }
};

}  // namespace satchel::test
