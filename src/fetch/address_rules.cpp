#include "fetch/address_rules.hpp"

#include "base/result.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace satchel::fetch {
namespace {

using Octets = std::array<std::uint8_t, 16>;

constexpr Octets mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr Octets nat64_prefix{0, 0x64, 0xff, 0x9b};
constexpr int embedding_bits = 96;

// The first row that holds an address decides. Rows marked globally reachable in the registries
// (AS112, AMT, PCP and TURN anycast, ORCHIDv2) are refused with the rest: none serves files.
constexpr Block v4_blocks[] = {
    {"0.0.0.0", 8, Reach::never, "this network"},
    {"10.0.0.0", 8, Reach::local, "private use"},
    {"100.100.100.200", 32, Reach::never, "metadata service"},
    {"100.64.0.0", 10, Reach::local, "shared address space"},
    {"127.0.0.0", 8, Reach::local, "loopback"},
    {"168.63.129.16", 32, Reach::never, "metadata service"},
    {"169.254.169.254", 32, Reach::never, "metadata service"},
    {"169.254.0.0", 16, Reach::never, "link local"},
    {"172.16.0.0", 12, Reach::local, "private use"},
    {"192.0.0.0", 24, Reach::never, "IETF protocol assignments"},
    {"192.0.2.0", 24, Reach::never, "documentation"},
    {"192.31.196.0", 24, Reach::never, "AS112"},
    {"192.52.193.0", 24, Reach::never, "AMT"},
    {"192.88.99.0", 24, Reach::never, "6to4 relay"},
    {"192.168.0.0", 16, Reach::local, "private use"},
    {"192.175.48.0", 24, Reach::never, "AS112"},
    {"198.18.0.0", 15, Reach::never, "benchmarking"},
    {"198.51.100.0", 24, Reach::never, "documentation"},
    {"203.0.113.0", 24, Reach::never, "documentation"},
    {"224.0.0.0", 4, Reach::never, "multicast"},
    {"255.255.255.255", 32, Reach::never, "broadcast"},
    {"240.0.0.0", 4, Reach::never, "reserved"},
    {"0.0.0.0", 0, Reach::global, "global"},
};

// Only 2000::/3 is handed out as global unicast; what lies outside it and is not named here is
// not assigned. 6to4, Teredo and local-use NAT64 can hide any IPv4 address and are relics or
// private, so they are refused whatever they hold.
constexpr Block v6_blocks[] = {
    {"::", 128, Reach::never, "unspecified"},
    {"::1", 128, Reach::local, "loopback"},
    {"::", 96, Reach::never, "IPv4-compatible"},
    {"::ffff:0:0:0", 96, Reach::never, "IPv4-translated"},
    {"64:ff9b:1::", 48, Reach::never, "local-use NAT64"},
    {"100::", 64, Reach::never, "discard only"},
    {"100:0:0:1::", 64, Reach::never, "dummy prefix"},
    {"2001::", 32, Reach::never, "Teredo"},
    {"2001:2::", 48, Reach::never, "benchmarking"},
    {"2001:10::", 28, Reach::never, "ORCHID"},
    {"2001:20::", 28, Reach::never, "ORCHIDv2"},
    {"2001:30::", 28, Reach::never, "drone remote id"},
    {"2001::", 23, Reach::never, "IETF protocol assignments"},
    {"2001:db8::", 32, Reach::never, "documentation"},
    {"2002::", 16, Reach::never, "6to4"},
    {"2620:4f:8000::", 48, Reach::never, "AS112"},
    {"3fff::", 20, Reach::never, "documentation"},
    {"2000::", 3, Reach::global, "global unicast"},
    {"5f00::", 16, Reach::never, "segment routing"},
    {"fd00:ec2::", 32, Reach::never, "metadata service"},
    {"fd20:ce::", 32, Reach::never, "metadata service"},
    {"fc00::", 7, Reach::local, "unique local"},
    {"fe80::", 10, Reach::never, "link local"},
    {"fec0::", 10, Reach::never, "site local"},
    {"ff00::", 8, Reach::never, "multicast"},
    {"::", 0, Reach::never, "not assigned"},
};

struct Row {
    Octets prefix{};
    int bits = 0;
    const Block* block = nullptr;
};

bool starts_with(const Octets& address, const Octets& prefix, int bits) {
    const auto whole = static_cast<std::size_t>(bits / 8);
    if (!std::equal(prefix.begin(), prefix.begin() + static_cast<std::ptrdiff_t>(whole),
                    address.begin())) {
        return false;
    }
    if (bits % 8 == 0) return true;
    const auto mask = static_cast<std::uint8_t>(0xff << (8 - bits % 8));
    return ((address[whole] ^ prefix[whole]) & mask) == 0;
}

template <std::size_t size>
std::vector<Row> rows_of(const Block (&blocks)[size]) {
    std::vector<Row> rows;
    for (const Block& block : blocks) {
        const auto prefix = Address::parse(block.prefix);
        ASSERT(prefix.has_value());
        // An IPv4 prefix is compared in the mapped form.
        const bool v4 = block.prefix.find(':') == std::string_view::npos;
        rows.push_back({prefix->bytes(), block.bits + (v4 ? embedding_bits : 0), &block});
    }
    return rows;
}

const Block& look_up(const std::vector<Row>& rows, const Octets& address) {
    for (const Row& row : rows) {
        if (starts_with(address, row.prefix, row.bits)) return *row.block;
    }
    return *rows.back().block;  // Holds everything.
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text) {
    const std::string terminated(text);
    if (terminated.size() != std::strlen(terminated.c_str())) return std::nullopt;
    Address address;
    if (inet_pton(AF_INET6, terminated.c_str(), address.bytes_.data()) == 1) return address;
    address.bytes_ = mapped_prefix;
    if (inet_pton(AF_INET, terminated.c_str(), address.bytes_.data() + 12) == 1) return address;
    return std::nullopt;
}

std::optional<Address> Address::from(const sockaddr& socket_address, std::size_t size) {
    Address address;
    if (socket_address.sa_family == AF_INET && size >= sizeof(sockaddr_in)) {
        sockaddr_in v4{};
        std::memcpy(&v4, &socket_address, sizeof v4);
        address.bytes_ = mapped_prefix;
        std::memcpy(address.bytes_.data() + 12, &v4.sin_addr, 4);
        return address;
    }
    if (socket_address.sa_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &socket_address, sizeof v6);
        std::memcpy(address.bytes_.data(), &v6.sin6_addr, address.bytes_.size());
        return address;
    }
    return std::nullopt;
}

std::string Address::text() const {
    char text[INET6_ADDRSTRLEN] = {};
    if (starts_with(bytes_, mapped_prefix, embedding_bits)) {
        inet_ntop(AF_INET, bytes_.data() + 12, text, sizeof text);
    } else {
        inet_ntop(AF_INET6, bytes_.data(), text, sizeof text);
    }
    return text;
}

const Block& block_of(const Address& address) {
    static const std::vector<Row> v4_rows = rows_of(v4_blocks);
    static const std::vector<Row> v6_rows = rows_of(v6_blocks);
    Octets bytes = address.bytes();
    if (starts_with(bytes, nat64_prefix, embedding_bits)) {
        std::copy_n(mapped_prefix.begin(), embedding_bits / 8, bytes.begin());
    }
    return look_up(starts_with(bytes, mapped_prefix, embedding_bits) ? v4_rows : v6_rows, bytes);
}

AddressRule global_only() {
    return [](const Address& address) { return block_of(address).reach == Reach::global; };
}

AddressRule global_and_local() {
    return [](const Address& address) { return block_of(address).reach != Reach::never; };
}

}  // namespace satchel::fetch
