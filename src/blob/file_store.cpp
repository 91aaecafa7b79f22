#include "blob/file_store.hpp"

#include "base/limits.hpp"
#include "base/scheduling.hpp"
#include "blob/file_format.hpp"
#include "blob/file_reader.hpp"
#include "blob/file_writer.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace satchel::blob {
namespace {

// A value, or an acceptable error, is success.
Result<> accept(Errc code, Result<> result) {
    if (!result && result.error().code == code) return {};
    return result;
}

bool is_absent(const Result<>& result) {
    return !result && result.error().code == Errc::not_found;
}

Result<> verify_size(Disk& disk, const File& file, std::uint64_t size) {
    if (!is_storable(size)) return fail(Errc::corrupt, "no blob has the size asked for");
    TRY(const std::uint64_t stored, disk.size(file));
    if (stored != stored_size(size)) {
        return fail(Errc::corrupt, "the file has " + std::to_string(stored) + " bytes instead of " +
                                       std::to_string(stored_size(size)));
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<Store>> FileStore::open(const std::filesystem::path& root,
                                               BlockingPool& pool,
                                               Disk& disk) {
    auto path = std::filesystem::path(root.string() + "/").lexically_normal().parent_path();
    const std::string parent = path.has_parent_path() ? path.parent_path().string() : ".";
    std::unique_ptr<FileStore> store(new FileStore(path.string(), pool, disk));
    const auto made = disk.make_folder(path.string());
    CHECK(accept(Errc::conflict, made));
    if (made) {
        CHECK(disk.sync_folder(parent));
    }
    CHECK(accept(Errc::conflict, disk.make_folder(store->layout_.incoming_folder())));
    CHECK(disk.sync_folder(store->layout_.root));
    return store;
}

Async<std::unique_ptr<Writer>> FileStore::create(BlobId id, const crypto::Key& key) {
    if (!uncommitted_.add(id)) co_return fail(Errc::conflict, "blob " + id.str() + " has a writer");
    co_return std::make_unique<FileWriter>(disk_, pool_, layout_, uncommitted_, id, key);
}

Async<std::unique_ptr<Reader>> FileStore::open(BlobId id,
                                               const crypto::Key& key,
                                               std::uint64_t size) {
    auto file = open_from_memory(id, size);
    if (!file) {
        CO_TRY(file,
               co_await run_blocking(pool_, [this, id, size] { return open_waiting(id, size); }));
    }
    co_return std::make_unique<FileReader>(disk_, pool_, *std::move(file), key, size);
}

std::optional<File> FileStore::open_from_memory(BlobId id, std::uint64_t size) {
    auto file = disk_.open_cached(layout_.confirmed(id));
    if (!file || !*file) return std::nullopt;
    if (!verify_size(disk_, **file, size)) return std::nullopt;
    Header header;
    const auto count = disk_.read_cached(**file, header, 0);
    if (!count || *count != header.size() || header != make_header(id)) return std::nullopt;
    return *std::move(file);
}

Result<File> FileStore::open_waiting(BlobId id, std::uint64_t size) {
    auto file = disk_.open(layout_.confirmed(id));
    if (!file && file.error().code == Errc::not_found) {
        file = disk_.open(layout_.incoming(id));
        // Asked after the file is open: what is in here then had not been committed before.
        if (file && uncommitted_.contains(id)) return fail(Errc::not_found, "not committed");
        // confirm() may have moved it between the two.
        if (!file && file.error().code == Errc::not_found) {
            file = disk_.open(layout_.confirmed(id));
        }
    }
    if (!file) return file;
    CHECK(verify_size(disk_, *file, size));
    Header header;
    CHECK(read_whole(disk_, *file, header, 0));
    if (header != make_header(id)) return fail(Errc::corrupt, "the header is not this blob's");
    return file;
}

Async<> FileStore::remove(BlobId id) {
    return run_blocking(pool_, [this, id] { return remove_file(id); });
}

Result<> FileStore::remove_file(BlobId id) {
    // In this order: confirm() moves a file only from the first to the second.
    const auto incoming = disk_.unlink(layout_.incoming(id));
    const auto confirmed = disk_.unlink(layout_.confirmed(id));
    {
        // An absent name may have gone in an earlier process, and not be durable yet.
        const bool nowhere = is_absent(incoming) && is_absent(confirmed);
        const std::lock_guard lock(touched_mutex_);
        if (nowhere || !is_absent(incoming)) touched_folders_.insert(layout_.incoming_folder());
        if (nowhere || !is_absent(confirmed)) {
            touched_folders_.insert(layout_.shard_folder(FileLayout::shard_of(id.str())));
        }
    }
    CHECK(accept(Errc::not_found, incoming));
    return accept(Errc::not_found, confirmed);
}

Task<std::vector<Result<>>> FileStore::remove_each(std::vector<BlobId> ids) {
    return run_blocking(pool_, [this, ids = std::move(ids)] { return remove_files(ids); });
}

std::vector<Result<>> FileStore::remove_files(const std::vector<BlobId>& ids) {
    take_short_turns();
    std::vector<Result<>> answers;
    answers.reserve(ids.size());
    for (const BlobId id : ids) {
        answers.push_back(remove_file(id));
        if (answers.size() % limits::blob_removals_per_turn == 0) give_way();
    }
    return answers;
}

Async<> FileStore::sync_removals() {
    return run_blocking(pool_, [this] { return sync_touched_folders(); });
}

Result<> FileStore::sync_touched_folders() {
    // A second caller waits: what it removed may be in the hands of the first.
    const std::lock_guard syncing(sync_mutex_);
    std::set<std::string> folders;
    {
        const std::lock_guard lock(touched_mutex_);
        folders = std::exchange(touched_folders_, {});
    }
    while (!folders.empty()) {
        // A folder that never was has no names to lose.
        auto synced = accept(Errc::not_found, disk_.sync_folder(*folders.begin()));
        if (!synced) {
            const std::lock_guard lock(touched_mutex_);
            touched_folders_.merge(folders);
            return synced;
        }
        folders.erase(folders.begin());
    }
    return {};
}

Async<> FileStore::confirm(BlobId id) {
    return run_blocking(pool_, [this, id] { return confirm_file(id); });
}

// Not synced: either name is durable, and start-up looks at both.
Result<> FileStore::confirm_file(BlobId id) {
    const std::string from = layout_.incoming(id);
    const std::string to = layout_.confirmed(id);
    auto moved = disk_.rename(from, to);
    if (!is_absent(moved)) return moved;
    // Either the folder is missing, or the file was moved already, or there is none.
    const std::string folder = layout_.shard_folder(FileLayout::shard_of(id.str()));
    CHECK(accept(Errc::conflict, disk_.make_folder(folder)));
    moved = disk_.rename(from, to);
    if (!is_absent(moved)) return moved;
    CHECK(disk_.open(to));
    return {};
}

Async<std::vector<BlobId>> FileStore::unconfirmed() {
    return run_blocking(pool_, [this] { return list_incoming(); });
}

Result<std::vector<BlobId>> FileStore::list_incoming() {
    TRY(const auto entries, disk_.list(layout_.incoming_folder()));
    std::vector<BlobId> blobs;
    for (const FolderEntry& entry : entries) {
        const auto id = FileLayout::blob_of(entry.name);
        if (id && !entry.is_folder && !uncommitted_.contains(*id)) blobs.push_back(*id);
    }
    return blobs;
}

// One job a folder, so that a large store does not hold a thread of the pool for long.
Async<Store::Listing> FileStore::list() {
    const auto entries_of = [this](std::string folder) {
        return run_blocking(pool_,
                            [this, folder = std::move(folder)] { return disk_.list(folder); });
    };
    Listing listing;
    CO_TRY(const auto folders, co_await entries_of(layout_.root));
    for (const FolderEntry& folder : folders) {
        const bool is_incoming = folder.is_folder && folder.name == "incoming";
        if (!is_incoming && !(folder.is_folder && FileLayout::is_shard(folder.name))) {
            listing.unknown.push_back(folder.name);
            continue;
        }
        CO_TRY(const auto files, co_await entries_of(layout_.shard_folder(folder.name)));
        for (const FolderEntry& file : files) {
            const auto id = FileLayout::blob_of(file.name);
            const bool in_place = id && !file.is_folder &&
                                  (is_incoming || FileLayout::shard_of(file.name) == folder.name);
            if (!in_place) {
                listing.unknown.push_back(folder.name + '/' + file.name);
            } else if (!is_incoming) {
                listing.blobs.push_back(*id);
            }
        }
    }
    co_return listing;
}

Async<> FileStore::probe() {
    return run_blocking(pool_, [this] { return write_and_read_back(); });
}

Result<> FileStore::write_and_read_back() {
    // Under a blob's name, so that what a crash leaves of it is cleaned up as one.
    const BlobId id = BlobId::random();
    const std::string path = layout_.incoming(id);
    std::array<std::byte, 16> written = id.value.bytes;
    std::array<std::byte, 16> read{};
    uncommitted_.add(id);
    const auto attempt = [&]() -> Result<> {
        TRY(const File file, disk_.create(path));
        const iovec piece{written.data(), written.size()};
        TRY(const std::size_t count, disk_.write(file, {&piece, 1}, 0));
        if (count != written.size()) return fail(Errc::unavailable, "write: only a part");
        return read_whole(disk_, file, read, 0);
    };
    auto result = attempt();
    auto removed = accept(Errc::not_found, disk_.unlink(path));
    if (removed) uncommitted_.remove(id);
    CHECK(result);
    CHECK(removed);
    if (read != written) return fail(Errc::corrupt, "the disk gave back other bytes");
    return {};
}

}  // namespace satchel::blob
