#include "blob/file_copy.hpp"

#include "base/limits.hpp"
#include "blob/file_format.hpp"

#include <algorithm>
#include <utility>

namespace satchel::blob {
namespace {

bool has_code(const auto& result, Errc code) {
    return !result && result.error().code == code;
}

Result<> accept(Errc code, Result<> result) {
    if (has_code(result, code)) return {};
    return result;
}

}  // namespace

FileCopier::FileCopier(Disk& disk,
                       const std::filesystem::path& from,
                       const std::filesystem::path& to)
    : disk_(disk), from_{from.string()}, to_{to.string()}, buffer_(limits::backup_buffer_bytes) {}

std::uint64_t FileCopier::file_bytes(std::uint64_t content_size) {
    return stored_size(content_size);
}

Result<> FileCopier::open() {
    CHECK(accept(Errc::conflict, disk_.make_folder(to_.root)));
    CHECK(accept(Errc::conflict, disk_.make_folder(to_.incoming_folder())));
    return disk_.sync_folder(to_.root);
}

Result<FileCopier::Outcome> FileCopier::copy(BlobId id, std::uint64_t content_size) {
    if (!is_storable(content_size)) return Outcome::absent;
    const std::uint64_t stored = stored_size(content_size);
    TRY(const bool in_place, is_in_place(id, stored));
    if (in_place) return Outcome::was_there;
    auto source = open_source(id);
    if (has_code(source, Errc::not_found)) return Outcome::absent;
    if (!source) return std::unexpected(std::move(source).error());
    TRY(const std::uint64_t length, disk_.size(*source));
    if (length != stored) return Outcome::absent;
    TRY(File target, create_target(id));
    CHECK(copy_content(*source, target, stored));
    incoming_.push_back({id, std::move(target)});
    bytes_copied_ += stored;
    if (incoming_.size() >= limits::backup_files_per_sync) CHECK(settle());
    return Outcome::copied;
}

Result<bool> FileCopier::is_in_place(BlobId id, std::uint64_t stored) const {
    const auto waits = [id](const Incoming& each) { return each.id == id; };
    if (std::ranges::any_of(incoming_, waits)) return true;
    const auto file = disk_.open(to_.confirmed(id));
    if (has_code(file, Errc::not_found)) return false;
    if (!file) return std::unexpected(file.error());
    TRY(const std::uint64_t length, disk_.size(*file));
    if (length == stored) return true;
    CHECK(disk_.unlink(to_.confirmed(id)));
    return false;
}

// It may be moved from incoming/ to its place between two looks.
Result<File> FileCopier::open_source(BlobId id) const {
    auto file = disk_.open(from_.confirmed(id));
    if (has_code(file, Errc::not_found)) file = disk_.open(from_.incoming(id));
    if (has_code(file, Errc::not_found)) file = disk_.open(from_.confirmed(id));
    return file;
}

// What an earlier copy that was cut has left is replaced.
Result<File> FileCopier::create_target(BlobId id) const {
    CHECK(accept(Errc::not_found, disk_.unlink(to_.incoming(id))));
    return disk_.create(to_.incoming(id));
}

Result<> FileCopier::copy_content(const File& source, const File& target, std::uint64_t stored) {
    for (std::uint64_t offset = 0; offset < stored;) {
        const auto wanted =
            static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size(), stored - offset));
        TRY(const std::size_t count, disk_.read(source, std::span(buffer_).first(wanted), offset));
        if (count == 0) return fail(Errc::unavailable, "read: the file became shorter");
        for (std::size_t written = 0; written < count;) {
            const iovec piece{buffer_.data() + written, count - written};
            TRY(const std::size_t step, disk_.write(target, {&piece, 1}, offset + written));
            written += step;
        }
        CHECK(disk_.start_writeback(target, offset, count));
        offset += count;
    }
    return {};
}

// Many at once: the first sync writes the file system's journal for all of them.
Result<> FileCopier::settle() {
    for (const Incoming& each : incoming_) CHECK(disk_.sync_data(each.file));
    for (const Incoming& each : incoming_) {
        const std::string folder = to_.shard_folder(FileLayout::shard_of(each.id.str()));
        if (touched_.insert(folder).second) {
            CHECK(accept(Errc::conflict, disk_.make_folder(folder)));
        }
        CHECK(disk_.rename(to_.incoming(each.id), to_.confirmed(each.id)));
    }
    incoming_.clear();
    return {};
}

Result<> FileCopier::finish() {
    CHECK(settle());
    for (const std::string& folder : std::exchange(touched_, {})) {
        CHECK(disk_.sync_folder(folder));
    }
    CHECK(disk_.sync_folder(to_.incoming_folder()));
    return disk_.sync_folder(to_.root);
}

}  // namespace satchel::blob
