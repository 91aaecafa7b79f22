#include "crypto/key_ring.hpp"

#include "base/bytes.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <span>
#include <string_view>
#include <utility>

namespace satchel::crypto {
namespace {

using Keys = std::vector<MasterKey>;

std::array<std::byte, 4> version_bytes(std::uint32_t version) {
    std::array<std::byte, 4> out{};
    for (unsigned i = 0; i < 4; ++i) out[i] = static_cast<std::byte>(version >> (8 * i) & 0xFF);
    return out;
}

const MasterKey* find(const Keys& keys, std::uint32_t version) {
    const auto found = std::ranges::find(keys, version, &MasterKey::version);
    return found == keys.end() ? nullptr : &*found;
}

// `label` and `context` derive the wrapping key from the newest master key.
WrappedKey wrap_under(const Keys& keys, std::string_view label, ByteView context, const Key& key) {
    const MasterKey& newest = keys.back();
    return {newest.version, seal_once(derive(newest.key, label, context),
                                      version_bytes(newest.version), key.bytes)};
}

Result<Key> unwrap_under(const Keys& keys,
                         std::string_view label,
                         ByteView context,
                         std::uint32_t version,
                         ByteView wrapped) {
    Key key;
    const MasterKey* const master = find(keys, version);
    if (master == nullptr) {
        return fail(Errc::corrupt, "key wrapped under master key version " +
                                       std::to_string(version) + ", which is not in use");
    }
    if (wrapped.size() != key.bytes.size() + tag_bytes) {
        return fail(Errc::corrupt, "wrapped key has the wrong size");
    }
    TRY(Bytes opened,
        open_once(derive(master->key, label, context), version_bytes(version), wrapped));
    std::ranges::copy(opened, key.bytes.begin());
    OPENSSL_cleanse(opened.data(), opened.size());
    return key;
}

constexpr std::string_view wrap_label = "satchel wrap v1";
constexpr std::string_view text_key_label = "satchel text key v1";
constexpr std::string_view secret_label = "satchel secret v1";

}  // namespace

struct KeyRing::State {
    std::string origin;
    mutable std::mutex mutex;
    std::shared_ptr<const Keys> keys;  // Guarded by mutex; what it points to never changes.

    std::shared_ptr<const Keys> now() const {
        const std::lock_guard lock(mutex);
        return keys;
    }
};

KeyRing::KeyRing(std::vector<MasterKey> keys, std::string origin)
    : state_(std::make_unique<State>()) {
    ASSERT(!keys.empty());
    state_->origin = std::move(origin);
    state_->keys = std::make_shared<const Keys>(std::move(keys));
}

KeyRing::KeyRing(KeyRing&& other) noexcept = default;
KeyRing& KeyRing::operator=(KeyRing&& other) noexcept = default;
KeyRing::~KeyRing() = default;

std::uint32_t KeyRing::version() const {
    return state_->now()->back().version;
}

std::vector<KeyRing::Version> KeyRing::versions() const {
    std::vector<Version> all;
    for (const MasterKey& each : *state_->now()) all.push_back({each.version, check_of(each.key)});
    return all;
}

std::optional<KeyCheck> KeyRing::check(std::uint32_t version) const {
    const auto keys = state_->now();
    const MasterKey* const key = find(*keys, version);
    if (key == nullptr) return std::nullopt;
    return check_of(key->key);
}

const std::string& KeyRing::origin() const {
    return state_->origin;
}

void KeyRing::take(const KeyRing& other) {
    const auto added = other.state_->now();
    const std::lock_guard lock(state_->mutex);
    Keys all = *state_->keys;
    for (const MasterKey& each : *added) {
        if (find(all, each.version) == nullptr) all.push_back(each);
    }
    std::ranges::sort(all, {}, &MasterKey::version);
    state_->keys = std::make_shared<const Keys>(std::move(all));
}

WrappedKey KeyRing::wrap(const AttachmentId& attachment, const Key& key) const {
    return wrap_under(*state_->now(), wrap_label, attachment.bytes(), key);
}

Result<Key> KeyRing::unwrap(const AttachmentId& attachment,
                            std::uint32_t version,
                            ByteView wrapped) const {
    return unwrap_under(*state_->now(), wrap_label, attachment.bytes(), version, wrapped);
}

WrappedKey KeyRing::wrap_text_key(const Key& key) const {
    return wrap_under(*state_->now(), text_key_label, {}, key);
}

Result<Key> KeyRing::unwrap_text_key(std::uint32_t version, ByteView wrapped) const {
    return unwrap_under(*state_->now(), text_key_label, {}, version, wrapped);
}

std::vector<Key> KeyRing::former_secrets(std::string_view purpose) const {
    std::vector<Key> secrets;
    const auto keys = state_->now();
    for (auto each = keys->rbegin(); each != keys->rend(); ++each) {
        secrets.push_back(derive(each->key, secret_label, as_bytes(purpose)));
    }
    return secrets;
}

Key name_key(const Key& attachment_key) {
    return derive(attachment_key, "satchel name v1", {});
}

Key blob_key(const Key& attachment_key, const BlobId& blob) {
    return derive(attachment_key, "satchel blob v1", blob.bytes());
}

Key secret_of(const Key& text_key, std::string_view purpose) {
    return derive(text_key, secret_label, as_bytes(purpose));
}

}  // namespace satchel::crypto
