#include "tests/support/faulty_disk.hpp"

#include <algorithm>
#include <fstream>

namespace satchel::test {
namespace {

std::unexpected<Error> no_space() {
    return fail(Errc::unavailable, "No space left on device");
}

std::string parent_of(const std::string& path) {
    return std::filesystem::path(path).parent_path().string();
}

}  // namespace

void FaultyDisk::arm(Fault fault, int at) {
    const std::lock_guard lock(mutex_);
    fault_ = fault;
    calls_left_ = at;
}

bool FaultyDisk::disarm() {
    const std::lock_guard lock(mutex_);
    fault_ = Fault::none;
    return calls_left_ < 0;
}

bool FaultyDisk::strikes(std::initializer_list<Fault> possible) {
    const std::lock_guard lock(mutex_);
    if (std::ranges::find(possible, fault_) == possible.end() || calls_left_ < 0) return false;
    return calls_left_-- == 0;
}

Result<blob::File> FaultyDisk::create(const std::string& path) {
    if (strikes({Fault::disk_full, Fault::io_error})) return no_space();
    return ForwardingDisk::create(path);
}

Result<std::size_t> FaultyDisk::write(const blob::File& file,
                                      std::span<const iovec> pieces,
                                      std::uint64_t offset) {
    if (strikes({Fault::short_write})) {
        const iovec one_byte{pieces.front().iov_base, 1};
        return ForwardingDisk::write(file, {&one_byte, 1}, offset);
    }
    if (strikes({Fault::disk_full, Fault::io_error})) {
        // A disk that runs full takes what still fits first.
        ignore(ForwardingDisk::write(file, pieces.first(1), offset), "the write fails anyway");
        return no_space();
    }
    return ForwardingDisk::write(file, pieces, offset);
}

Result<> FaultyDisk::start_writeback(const blob::File& file,
                                     std::uint64_t offset,
                                     std::uint64_t length) {
    if (strikes({Fault::disk_full, Fault::io_error})) return no_space();
    return ForwardingDisk::start_writeback(file, offset, length);
}

Result<> FaultyDisk::sync_data(const blob::File& file) {
    if (strikes({Fault::disk_full, Fault::io_error, Fault::sync_error})) return no_space();
    return ForwardingDisk::sync_data(file);
}

Result<> FaultyDisk::rename(const std::string& from, const std::string& to) {
    if (strikes({Fault::disk_full, Fault::io_error, Fault::rename_error})) return no_space();
    return ForwardingDisk::rename(from, to);
}

Result<> FaultyDisk::unlink(const std::string& path) {
    if (strikes({Fault::io_error, Fault::unlink_error})) return no_space();
    return ForwardingDisk::unlink(path);
}

Result<> FaultyDisk::sync_folder(const std::string& path) {
    if (strikes({Fault::disk_full, Fault::io_error, Fault::sync_error})) return no_space();
    return ForwardingDisk::sync_folder(path);
}

Result<> FaultyDisk::make_folder(const std::string& path) {
    if (strikes({Fault::disk_full, Fault::io_error})) return no_space();
    return ForwardingDisk::make_folder(path);
}

std::size_t PowerLossDisk::names_at_stake() const {
    const std::lock_guard lock(mutex_);
    return pending_.size();
}

void PowerLossDisk::apply(const Change& change, Names& names) {
    if (change.makes_folder) {
        names.folders.insert(change.to);
        return;
    }
    if (!change.from.empty()) names.files.erase(change.from);
    if (!change.to.empty()) names.files[change.to] = change.content;
}

void PowerLossDisk::make_durable(const Change& change) {
    // A rename is one unit with the folder it needs.
    if (!change.from.empty() && !change.to.empty()) durable_.folders.insert(parent_of(change.to));
    apply(change, durable_);
}

void PowerLossDisk::change(Change change) {
    const std::lock_guard lock(mutex_);
    apply(change, seen_);
    pending_.push_back(std::move(change));
}

Result<blob::File> PowerLossDisk::create(const std::string& path) {
    CHECK(supply_.next_call());
    auto file = ForwardingDisk::create(path);
    if (!file) return file;
    ContentNumber number = 0;
    {
        const std::lock_guard lock(mutex_);
        number = contents_.size();
        contents_.emplace_back();
        by_descriptor_[file->descriptor()] = number;
    }
    change({.from = {}, .to = path, .content = number});
    return file;
}

Result<std::size_t> PowerLossDisk::write(const blob::File& file,
                                         std::span<const iovec> pieces,
                                         std::uint64_t offset) {
    CHECK(supply_.next_call());
    TRY(const std::size_t written, ForwardingDisk::write(file, pieces, offset));
    const std::lock_guard lock(mutex_);
    Bytes& bytes = contents_[by_descriptor_.at(file.descriptor())].written;
    bytes.resize(std::max<std::size_t>(bytes.size(), offset + written));
    auto target = std::span(bytes).subspan(offset, written);
    for (const iovec& piece : pieces) {
        const auto size = std::min(piece.iov_len, target.size());
        std::copy_n(static_cast<const std::byte*>(piece.iov_base), size, target.begin());
        target = target.subspan(size);
    }
    return written;
}

Result<> PowerLossDisk::start_writeback(const blob::File& file,
                                        std::uint64_t offset,
                                        std::uint64_t length) {
    CHECK(supply_.next_call());
    return ForwardingDisk::start_writeback(file, offset, length);
}

Result<> PowerLossDisk::sync_data(const blob::File& file) {
    CHECK(supply_.next_call());
    const std::lock_guard lock(mutex_);
    Content& content = contents_[by_descriptor_.at(file.descriptor())];
    content.durable = content.written;
    return {};
}

Result<> PowerLossDisk::rename(const std::string& from, const std::string& to) {
    CHECK(supply_.next_call());
    CHECK(ForwardingDisk::rename(from, to));
    ContentNumber number = 0;
    {
        const std::lock_guard lock(mutex_);
        number = seen_.files.at(from);
    }
    change({.from = from, .to = to, .content = number});
    return {};
}

Result<> PowerLossDisk::unlink(const std::string& path) {
    CHECK(supply_.next_call());
    CHECK(ForwardingDisk::unlink(path));
    change({.from = path, .to = {}});
    return {};
}

Result<> PowerLossDisk::sync_folder(const std::string& path) {
    CHECK(supply_.next_call());
    if (!std::filesystem::is_directory(path)) return fail(Errc::not_found, "no such folder");
    const std::lock_guard lock(mutex_);
    std::erase_if(pending_, [&](const Change& change) {
        const bool touches = parent_of(change.from) == path || parent_of(change.to) == path;
        if (touches) make_durable(change);
        return touches;
    });
    return {};
}

Result<> PowerLossDisk::make_folder(const std::string& path) {
    CHECK(supply_.next_call());
    CHECK(ForwardingDisk::make_folder(path));
    change({.from = {}, .to = path, .makes_folder = true});
    return {};
}

void PowerLossDisk::survive(const std::filesystem::path& root,
                            const std::filesystem::path& target,
                            std::size_t names_kept,
                            UnsyncedContent content) const {
    const std::lock_guard lock(mutex_);
    Names names = durable_;
    for (std::size_t i = 0; i < std::min(names_kept, pending_.size()); ++i) {
        apply(pending_[i], names);
    }
    const auto moved = [&](const std::string& path) {
        return target / std::filesystem::path(path).lexically_relative(root);
    };
    // In this order a folder comes after the one it is in, and goes with it.
    std::set<std::string> folders{root.string()};
    for (const std::string& folder : names.folders) {
        if (!folders.contains(parent_of(folder))) continue;
        folders.insert(folder);
        std::filesystem::create_directory(moved(folder));
    }
    for (const auto& [path, number] : names.files) {
        if (!folders.contains(parent_of(path))) continue;
        const auto& [written, durable] = contents_[number];
        Bytes left = written;
        if (content == UnsyncedContent::missing) left = durable;
        if (content == UnsyncedContent::zeros) {
            left = durable;
            left.resize(written.size());
        }
        std::ofstream file(moved(path), std::ios::binary);
        file.write(reinterpret_cast<const char*>(left.data()),
                   static_cast<std::streamsize>(left.size()));
    }
}

}  // namespace satchel::test
