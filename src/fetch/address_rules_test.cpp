#include "fetch/address_rules.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>

namespace satchel::fetch {
namespace {

Reach reach_of(std::string_view text) {
    const auto address = Address::parse(text);
    EXPECT_TRUE(address.has_value()) << text;
    return block_of(address.value_or(Address{})).reach;
}

struct Edge {
    const char* before;
    const char* first;
    const char* last;
    const char* after;
};

TEST(AddressRulesTest, each_special_block_is_refused_from_its_first_address_to_its_last) {
    // Blocks whose neighbours are public, as the registries have them.
    const Edge edges[] = {
        {nullptr, "0.0.0.0", "0.255.255.255", "1.0.0.0"},
        {"9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"},
        {"100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"},
        {"126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"},
        {"168.63.129.15", "168.63.129.16", "168.63.129.16", "168.63.129.17"},
        {"169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"},
        {"172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"},
        {"191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"},
        {"192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"},
        {"192.31.195.255", "192.31.196.0", "192.31.196.255", "192.31.197.0"},
        {"192.52.192.255", "192.52.193.0", "192.52.193.255", "192.52.194.0"},
        {"192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"},
        {"192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"},
        {"192.175.47.255", "192.175.48.0", "192.175.48.255", "192.175.49.0"},
        {"198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"},
        {"198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"},
        {"203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"},
        {"223.255.255.255", "224.0.0.0", "255.255.255.255", nullptr},
        {nullptr, "::", "1fff:ffff::", "2000::"},
        {"2000:ffff::", "2001::", "2001:1ff:ffff::", "2001:200::"},
        {"2001:db7:ffff::", "2001:db8::", "2001:db8:ffff::", "2001:db9::"},
        {"2001:ffff::", "2002::", "2002:ffff::", "2003::"},
        {"2620:4f:7fff::", "2620:4f:8000::", "2620:4f:8000:ffff::", "2620:4f:8001::"},
        {"3ffe:ffff::", "3fff::", "3fff:fff:ffff::", "3fff:1000::"},
        {"3fff:ffff::", "4000::", "ffff:ffff::", nullptr},
    };
    for (const Edge& edge : edges) {
        EXPECT_NE(reach_of(edge.first), Reach::global) << edge.first;
        EXPECT_NE(reach_of(edge.last), Reach::global) << edge.last;
        for (const char* neighbour : {edge.before, edge.after}) {
            if (neighbour == nullptr) continue;
            EXPECT_EQ(reach_of(neighbour), Reach::global) << neighbour;
        }
    }
}

TEST(AddressRulesTest, an_ipv4_address_inside_an_ipv6_one_is_judged_as_itself) {
    const std::pair<const char*, Reach> pairs[] = {
        {"::ffff:8.8.8.8", Reach::global},        {"64:ff9b::8.8.8.8", Reach::global},
        {"::ffff:127.0.0.1", Reach::local},       {"64:ff9b::127.0.0.1", Reach::local},
        {"::ffff:10.1.2.3", Reach::local},        {"64:ff9b::10.1.2.3", Reach::local},
        {"::ffff:169.254.169.254", Reach::never}, {"64:ff9b::169.254.169.254", Reach::never},
        {"::ffff:0.0.0.0", Reach::never},         {"64:ff9b::224.0.0.1", Reach::never},
    };
    for (const auto& [text, reach] : pairs) EXPECT_EQ(reach_of(text), reach) << text;
}

TEST(AddressRulesTest,
     tunnels_and_translators_that_hide_an_address_are_refused_whatever_they_hide) {
    for (const char* text :
         {"2002:808:808::1", "2002:7f00:1::", "2001:0:808:808::f7f7:f7f7", "64:ff9b:1::8.8.8.8",
          "64:ff9b:1:fffe::", "::8.8.8.8", "::ffff:0:8.8.8.8"}) {
        EXPECT_EQ(reach_of(text), Reach::never) << text;
    }
}

TEST(AddressRulesTest, private_networks_may_be_allowed_but_metadata_services_never) {
    const AddressRule rule = global_and_local();
    for (const char* text : {"127.0.0.1", "10.0.0.1", "172.20.0.1", "192.168.1.1", "100.64.0.1",
                             "::1", "fd12::1", "8.8.8.8", "2606:4700::1"}) {
        EXPECT_TRUE(rule(*Address::parse(text))) << text;
    }
    for (const char* text : {"169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16",
                             "fd00:ec2::254", "fd20:ce::254", "::ffff:169.254.169.254", "0.0.0.0",
                             "::", "224.0.0.1", "255.255.255.255", "fe80::1", "ff02::1"}) {
        EXPECT_FALSE(rule(*Address::parse(text))) << text;
    }
}

TEST(AddressRulesTest, by_default_only_global_addresses_are_allowed) {
    const AddressRule rule = global_only();
    EXPECT_TRUE(rule(*Address::parse("8.8.8.8")));
    EXPECT_TRUE(rule(*Address::parse("2606:4700::1111")));
    for (const char* text : {"127.0.0.1", "10.0.0.1", "::1", "fd12::1", "fe80::1", "0.0.0.0"}) {
        EXPECT_FALSE(rule(*Address::parse(text))) << text;
    }
}

TEST(AddressRulesTest, a_mapped_address_and_its_ipv4_form_are_one) {
    EXPECT_EQ(Address::parse("::ffff:192.0.2.1"), Address::parse("192.0.2.1"));
    EXPECT_EQ(Address::parse("::ffff:192.0.2.1")->text(), "192.0.2.1");
    EXPECT_EQ(Address::parse("2001:DB8::1")->text(), "2001:db8::1");
}

TEST(AddressRulesTest, what_is_not_an_address_is_not_read_as_one) {
    for (const char* text : {"", "1", "127.1", "0x7f.0.0.1", "127.0.0.1.", "[::1]", "fe80::1%eth0",
                             "example.com", " 127.0.0.1"}) {
        EXPECT_FALSE(Address::parse(text).has_value()) << text;
    }
    EXPECT_FALSE(Address::parse(std::string_view("127.0.0.1\0.test", 15)).has_value());
}

TEST(AddressRulesTest, only_internet_sockets_have_an_address) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = htonl(0x0a000001);
    const auto& generic = reinterpret_cast<const sockaddr&>(v4);
    EXPECT_EQ(Address::from(generic, sizeof v4)->text(), "10.0.0.1");
    EXPECT_FALSE(Address::from(generic, sizeof v4 - 1).has_value());
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    EXPECT_FALSE(Address::from(reinterpret_cast<const sockaddr&>(local), sizeof local).has_value());
}

}  // namespace
}  // namespace satchel::fetch
