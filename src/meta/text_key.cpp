#include "meta/text_key.hpp"

#include "meta/columns.hpp"

namespace satchel::meta {

Result<std::optional<crypto::Key>> find_text_key(Session& session, const crypto::KeyRing& keys) {
    TRY(auto statement, session.query("SELECT key_version, wrapped FROM text_key"));
    return first_row(*statement, [&keys](const Statement& row) {
        auto key = keys.unwrap_text_key(static_cast<std::uint32_t>(row.integer(0)), row.blob(1));
        if (!key) {
            key.error().message = "it was written under another master key: restore that key";
        }
        return key;
    });
}

Result<> insert_text_key(Session& session, const crypto::KeyRing& keys, const crypto::Key& key) {
    return session.run("INSERT INTO text_key (only, key_version, wrapped) VALUES (1, $1, $2)",
                       keys.version(), keys.wrap_text_key(key));
}

}  // namespace satchel::meta
