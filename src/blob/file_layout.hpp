// Where the files of a FileStore lie: docs/formats/blob.md, "Folders".
#pragma once

#include "model/ids.hpp"

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace satchel::blob {

struct FileLayout {
    std::string root;

    std::string incoming_folder() const { return root + "/incoming"; }
    std::string incoming(const BlobId& id) const { return incoming_folder() + '/' + id.str(); }
    std::string shard_folder(std::string_view shard) const { return (root + '/').append(shard); }
    std::string confirmed(const BlobId& id) const {
        const std::string name = id.str();
        return shard_folder(shard_of(name)).append(1, '/').append(name);
    }

    static constexpr std::size_t shard_name_bytes = 2;
    static std::string_view shard_of(std::string_view file_name) {
        return file_name.substr(0, shard_name_bytes);
    }
    // Two lower-case hex digits.
    static bool is_shard(std::string_view folder_name) {
        return folder_name.size() == shard_name_bytes &&
               folder_name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
    }
    // Only the spelling that str() gives is a blob's name.
    static std::optional<BlobId> blob_of(std::string_view file_name) {
        auto id = BlobId::parse(file_name);
        return id && id->str() == file_name ? id : std::nullopt;
    }
};

// The blobs that have a writer and are not committed: what lies in incoming/ and is not in here
// was committed, or left by a process that ended. Thread-safe.
class UncommittedBlobs {
public:
    // False if it is in already.
    bool add(const BlobId& id) {
        const std::lock_guard lock(mutex_);
        return ids_.insert(id).second;
    }
    void remove(const BlobId& id) {
        const std::lock_guard lock(mutex_);
        ids_.erase(id);
    }
    bool contains(const BlobId& id) const {
        const std::lock_guard lock(mutex_);
        return ids_.contains(id);
    }

private:
    mutable std::mutex mutex_;
    std::unordered_set<BlobId, IdHash> ids_;
};

}  // namespace satchel::blob
