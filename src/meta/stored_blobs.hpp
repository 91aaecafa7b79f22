// Which blobs the database refers to, as an attachment's content or a rendition of it: for copies
// and checks of the whole store.
//
// Functions run inside a Database::read or ::write.
#pragma once

#include "meta/database.hpp"
#include "model/ids.hpp"

#include <cstdint>
#include <vector>

namespace satchel::meta {

struct StoredBlob {
    BlobId blob;
    std::uint64_t size_bytes = 0;  // Of its content.
    bool is_rendition = false;
};

// With blob > after, in the order of their ids.
Result<std::vector<StoredBlob>> stored_blobs_after(Session& session, BlobId after, std::size_t max);

// Removes the row of a rendition, and nothing else: its bytes are gone already.
Result<> forget_rendition(Session& session, BlobId blob);

// Whether the engine finds its own structures whole. Reads everything. Empty: they are; else what
// is wrong, in words.
Result<std::vector<std::string>> structure_problems(Session& session);

}  // namespace satchel::meta
