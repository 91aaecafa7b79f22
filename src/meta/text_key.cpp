#include "meta/text_key.hpp"

#include "meta/columns.hpp"

namespace satchel::meta {

Result<std::optional<crypto::Key>> find_text_key(Session& session, const crypto::KeyRing& keys) {
    TRY(auto statement, session.query("SELECT key_version, wrapped FROM text_key"));
    return first_row(*statement, [&keys](const Statement& row) {
        return keys.unwrap_text_key(static_cast<std::uint32_t>(row.integer(0)), row.blob(1));
    });
}

Result<> insert_text_key(Session& session, const crypto::KeyRing& keys, const crypto::Key& key) {
    const crypto::WrappedKey wrapped = keys.wrap_text_key(key);
    return session.run("INSERT INTO text_key (only, key_version, wrapped) VALUES (1, $1, $2)",
                       wrapped.version, wrapped.bytes);
}

Result<> rewrap_text_key(Session& session, const crypto::KeyRing& keys) {
    TRY(const auto key, find_text_key(session, keys));
    if (!key) return {};
    const crypto::WrappedKey wrapped = keys.wrap_text_key(*key);
    return session.run("UPDATE text_key SET key_version = $1, wrapped = $2 WHERE only = 1",
                       wrapped.version, wrapped.bytes);
}

}  // namespace satchel::meta
