// Which addresses a name that a client gave may lead to: the IANA special-purpose registries for
// IPv4 and IPv6, multicast, and the addresses clouds serve credentials from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

struct sockaddr;

namespace satchel::fetch {

// An IPv4 address is kept as its IPv4-mapped form, so that both spellings are one address.
class Address {
public:
    // What inet_pton takes: dotted decimal, or IPv6 without brackets and zone.
    static std::optional<Address> parse(std::string_view text);
    // Empty for any family but AF_INET and AF_INET6.
    static std::optional<Address> from(const sockaddr& socket_address, std::size_t size);

    std::string text() const;
    const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
    bool operator==(const Address&) const = default;

private:
    std::array<std::uint8_t, 16> bytes_{};
};

enum class Reach : std::uint8_t {
    global,  // The public Internet's unicast.
    local,   // This machine and private networks.
    never,   // Nothing a client may name, not even in development: multicast, link-local, the
             // services that hand out a machine's credentials, what is reserved or a relic.
};

struct Block {
    std::string_view prefix;
    int bits;
    Reach reach;
    std::string_view name;
};

// The block `address` is judged by. An IPv4 address inside an IPv6 one (IPv4-mapped, NAT64's
// well-known prefix) is judged as itself.
const Block& block_of(const Address& address);

// Whether a connection to the address may be made.
using AddressRule = std::function<bool(const Address&)>;
AddressRule global_only();
AddressRule global_and_local();

}  // namespace satchel::fetch
