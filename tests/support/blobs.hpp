// Whole blobs in and out of a store.
#pragma once

#include "blob/store.hpp"

#include "tests/support/run.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>

namespace satchel::test {

// The same for the same arguments, and like nothing else.
inline Bytes sample_bytes(std::size_t size, unsigned seed = 1) {
    std::mt19937 random(seed);
    Bytes bytes(size);
    for (std::byte& b : bytes) b = static_cast<std::byte>(random());
    return bytes;
}

inline crypto::Key sample_key(unsigned seed = 1) {
    crypto::Key key;
    std::ranges::copy(sample_bytes(key.bytes.size(), seed), key.bytes.begin());
    return key;
}

// Appends all of `content` but does not commit.
inline Async<std::unique_ptr<blob::Writer>> write_blob(blob::Store& store,
                                                       BlobId id,
                                                       crypto::Key key,
                                                       Bytes content) {
    CO_TRY(auto writer, co_await store.create(id, key));
    for (std::span<std::byte> rest = content; !rest.empty();) {
        const auto batch = rest.first(std::min(limits::transfer_buffer_bytes, rest.size()));
        rest = rest.subspan(batch.size());
        CO_CHECK(co_await writer->append(batch, rest.empty() ? blob::Last::yes : blob::Last::no));
    }
    co_return writer;
}

// Committed, not confirmed.
inline Async<> store_blob(blob::Store& store, BlobId id, crypto::Key key, Bytes content) {
    CO_TRY(const auto writer, co_await write_blob(store, id, key, std::move(content)));
    co_return co_await writer->commit();
}

inline Async<Bytes> read_bytes(blob::Reader& reader, std::uint64_t offset, std::uint64_t length) {
    Bytes buffer(blob::read_buffer_bytes);
    Bytes bytes;
    while (bytes.size() < length) {
        CO_TRY(const blob::Batch batch,
               co_await reader.read(offset + bytes.size(), length - bytes.size(), buffer));
        std::size_t sum = 0;
        for (const ByteView piece : std::span(batch.pieces).first(batch.count)) {
            const bool inside = piece.data() >= buffer.data() &&
                                piece.data() + piece.size() <= buffer.data() + buffer.size();
            ASSERT(inside && !piece.empty());
            bytes.insert(bytes.end(), piece.begin(), piece.end());
            sum += piece.size();
        }
        ASSERT(sum == batch.bytes && sum > 0);
    }
    co_return bytes;
}

// The whole content of a blob of this size.
inline Async<Bytes> fetch_blob(blob::Store& store, BlobId id, crypto::Key key, std::uint64_t size) {
    CO_TRY(const auto reader, co_await store.open(id, key, size));
    co_return co_await read_bytes(*reader, 0, size);
}

// Whether the blob can be opened and has exactly this content.
inline bool holds(blob::Store& store, BlobId id, const crypto::Key& key, const Bytes& content) {
    const auto found = run(fetch_blob(store, id, key, content.size()));
    return found && *found == content;
}

}  // namespace satchel::test
