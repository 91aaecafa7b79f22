// Delivers nothing anywhere; behaves as a carrier would. The last digits of a recipient choose
// another fate, see docs/operations/sandbox.md.
#pragma once

#include "gateway/gateway.hpp"

#include <cstdint>
#include <string_view>

namespace satchel::gateway {

enum class Fate : std::uint8_t {
    delivered,
    read,             // ...0777
    stays_queued,     // ...0499
    delivery_failed,  // ...0401: fails with 4001
    cannot_receive,   // ...0405: fails with 4005
};
Fate fate_of(std::string_view handle);

class Sandbox : public Gateway {
public:
    explicit Sandbox(const Clock& clock) : clock_(clock) {}
    // A group meets the fate of its first recipient that has one of its own.
    Async<Outcome> submit(const Chat& chat, const Message& message) override;
    bool fetches_media() const override { return false; }
    bool delivers_between_lines() const override { return true; }

private:
    const Clock& clock_;
};

}  // namespace satchel::gateway
