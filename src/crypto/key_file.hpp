// The master key in a file of its own.
#pragma once

#include "crypto/key_source.hpp"

#include <filesystem>

namespace satchel::crypto {

// Used by one thread at a time.
class KeyFile final : public KeySource {
public:
    explicit KeyFile(std::filesystem::path path) : path_(std::move(path)) {}

    // Writes a new random key, mode 0600, durable when it returns. Never replaces a file:
    // Errc::conflict if there is one.
    Result<> create();

    std::string name() const override;
    Result<KeyRing> read() override;
    bool is_writable() const override { return true; }
    // The file is replaced in one step, mode 0600; owner and comments are kept.
    Result<> add(const MasterKey& key) override;
    Result<> remove(std::uint32_t version) override;

private:
    std::unexpected<Error> refuse(Errc code, std::string_view what_to_do) const;
    std::unexpected<Error> cannot(std::string_view what, int error) const;
    Result<> read_text(std::string& out) const;
    Result<> replace(std::string_view text) const;

    std::filesystem::path path_;
};

}  // namespace satchel::crypto
