#include "blob/file_store.hpp"
#include "tests/support/blobs.hpp"
#include "tests/support/forwarding_disk.hpp"

#include <cstdint>
#include <cstdlib>

namespace satchel::test {
namespace {

// Has one file, whatever the name, and all of it in memory.
class OneFileDisk final : public ForwardingDisk {
public:
    using ForwardingDisk::ForwardingDisk;
    ByteView file;

    Result<blob::File> open(const std::string&) override { return blob::File(); }
    Result<std::optional<blob::File>> open_cached(const std::string&) override {
        return blob::File();
    }
    Result<std::uint64_t> size(const blob::File&) override { return file.size(); }
    Result<std::size_t> read(const blob::File& opened,
                             std::span<std::byte> target,
                             std::uint64_t offset) override {
        return read_cached(opened, target, offset);
    }
    Result<std::size_t> read_cached(const blob::File&,
                                    std::span<std::byte> target,
                                    std::uint64_t offset) override {
        const auto rest = file.subspan(std::min<std::size_t>(offset, file.size()));
        const auto found = rest.first(std::min(rest.size(), target.size()));
        std::ranges::copy(found, target.begin());
        return found.size();
    }
    Result<> make_folder(const std::string&) override { return {}; }
    Result<> sync_folder(const std::string&) override { return {}; }
};

}  // namespace
}  // namespace satchel::test

// A stored file after two bytes that say the size the metadata claims (less one, little-endian).
// Only the genuine file may be read, and gives its content; everything else is an error.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace satchel;
    using namespace satchel::test;
    if (size < 2) return 0;
    const ByteView input(reinterpret_cast<const std::byte*>(data), size);
    const std::uint64_t claimed = 1u + data[0] + 256u * data[1];

    static BlockingPool pool{1};
    static const auto posix = blob::make_posix_disk();
    static OneFileDisk disk(*posix);
    static const auto store = blob::FileStore::open("/store", pool, disk).value();

    // As tests/data/blob_v1/one_frame.
    const auto id = BlobId::parse("00112233-4455-4677-8899-aabbccddeeff").value();
    crypto::Key key;
    for (std::size_t i = 0; i < key.bytes.size(); ++i) key.bytes[i] = static_cast<std::byte>(i);
    Bytes genuine(11);
    for (std::size_t i = 0; i < genuine.size(); ++i) genuine[i] = static_cast<std::byte>(i * 7);

    disk.file = input.subspan(2);
    const auto found = run(fetch_blob(*store, id, key, claimed));
    if (found ? *found != genuine : found.error().code != Errc::corrupt) std::abort();
    return 0;
}
