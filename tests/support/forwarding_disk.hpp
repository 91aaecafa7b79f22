// Does what another disk does: the base of those that differ in a few calls.
#pragma once

#include "blob/disk.hpp"

namespace satchel::test {

class ForwardingDisk : public blob::Disk {
public:
    explicit ForwardingDisk(blob::Disk& under) : under_(under) {}

    Result<blob::File> open(const std::string& path) override { return under_.open(path); }
    Result<std::optional<blob::File>> open_cached(const std::string& path) override {
        return under_.open_cached(path);
    }
    Result<blob::File> create(const std::string& path) override { return under_.create(path); }
    Result<std::uint64_t> size(const blob::File& file) override { return under_.size(file); }
    Result<std::size_t> read(const blob::File& file,
                             std::span<std::byte> target,
                             std::uint64_t offset) override {
        return under_.read(file, target, offset);
    }
    Result<std::size_t> read_cached(const blob::File& file,
                                    std::span<std::byte> target,
                                    std::uint64_t offset) override {
        return under_.read_cached(file, target, offset);
    }
    Result<std::size_t> write(const blob::File& file,
                              std::span<const iovec> pieces,
                              std::uint64_t offset) override {
        return under_.write(file, pieces, offset);
    }
    Result<> start_writeback(const blob::File& file,
                             std::uint64_t offset,
                             std::uint64_t length) override {
        return under_.start_writeback(file, offset, length);
    }
    Result<> sync_data(const blob::File& file) override { return under_.sync_data(file); }
    Result<> rename(const std::string& from, const std::string& to) override {
        return under_.rename(from, to);
    }
    Result<> unlink(const std::string& path) override { return under_.unlink(path); }
    Result<> sync_folder(const std::string& path) override { return under_.sync_folder(path); }
    Result<> make_folder(const std::string& path) override { return under_.make_folder(path); }
    Result<std::vector<blob::FolderEntry>> list(const std::string& path) override {
        return under_.list(path);
    }

private:
    blob::Disk& under_;
};

}  // namespace satchel::test
