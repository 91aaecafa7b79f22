// The master key as a command prints it: how a key service's own client is used.
#pragma once

#include "crypto/key_source.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace satchel::crypto {

// Used by one thread at a time.
class KeyCommand final : public KeySource {
public:
    struct Options {
        // The program, looked up in PATH unless it has a slash, and its arguments.
        std::vector<std::string> words;
        std::chrono::milliseconds wait_max;
    };
    explicit KeyCommand(Options options) : options_(std::move(options)) {}

    std::string name() const override { return "encryption.master_key_command"; }
    // Runs it in a process group of its own, which is killed when the time is over. Its standard
    // output is read, of its standard error the first line goes into an error.
    Result<KeyRing> read() override;
    bool is_writable() const override { return false; }
    // Errc::invalid_argument.
    Result<> add(const MasterKey& key) override;
    Result<> remove(std::uint32_t version) override;

private:
    std::unexpected<Error> refuse(Errc code, std::string_view what) const;
    Options options_;
};

}  // namespace satchel::crypto
