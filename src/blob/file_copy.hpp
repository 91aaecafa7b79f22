// Copies blobs as they are stored, still encrypted, from one FileStore's folder to another's.
//
// A file stands in its place in the target only when it is whole and durable, so that a copy that
// was cut goes on where it was. Blocks: for threads of a BlockingPool, one at a time.
#pragma once

#include "base/bytes.hpp"
#include "blob/disk.hpp"
#include "blob/file_layout.hpp"

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace satchel::blob {

class FileCopier {
public:
    // `disk` outlives the copier.
    FileCopier(Disk& disk, const std::filesystem::path& from, const std::filesystem::path& to);

    // Makes the target's folders (not its parents).
    Result<> open();

    enum class Outcome : std::uint8_t { copied, was_there, absent };
    // A file that is in place with the right length is not read again. Absent, too, is a file
    // that does not have the length of a blob with so much content.
    Result<Outcome> copy(BlobId id, std::uint64_t content_size);

    // Makes everything that was copied durable.
    Result<> finish();

    std::uint64_t bytes_copied() const { return bytes_copied_; }
    // The length of the file of a blob with so much content.
    static std::uint64_t file_bytes(std::uint64_t content_size);

private:
    struct Incoming {
        BlobId id;
        File file;
    };
    Result<bool> is_in_place(BlobId id, std::uint64_t stored) const;
    Result<File> open_source(BlobId id) const;
    Result<File> create_target(BlobId id) const;
    Result<> copy_content(const File& source, const File& target, std::uint64_t stored);
    Result<> settle();

    Disk& disk_;
    FileLayout from_;
    FileLayout to_;
    Bytes buffer_;
    std::vector<Incoming> incoming_;
    std::set<std::string> touched_;
    std::uint64_t bytes_copied_ = 0;
};

}  // namespace satchel::blob
