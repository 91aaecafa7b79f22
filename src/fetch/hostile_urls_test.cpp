#include "fetch/fetch_suite.hpp"
#include "fetch/url_rules.hpp"

#include <string>

namespace satchel::fetch {
namespace {

using test::Origin;
using test::replying;

// PORT stands for a port on which every address of this machine answers.
constexpr const char* hostile_urls[] = {
    // Loopback, in every spelling.
    "http://127.0.0.2:PORT/",
    "http://127.255.255.254:PORT/",
    "http://2130706434:PORT/",
    "http://0x7f000002:PORT/",
    "http://0X7F000002:PORT/",
    "http://017700000002:PORT/",
    "http://127.2:PORT/",
    "http://127.0.2:PORT/",
    "http://0x7f.0.0.2:PORT/",
    "http://0177.0.0.02:PORT/",
    "http://0x7f.0.2:PORT/",
    "http://127.0.0.2.:PORT/",
    "http://%31%32%37.0.0.2:PORT/",
    "http://127%2e0%2e0%2e2:PORT/",
    "http://%30:PORT/",
    "http://127.%32:PORT/",
    "http://%30x7f000002:PORT/",
    "http://[::1]:PORT/",
    "http://[0:0:0:0:0:0:0:1]:PORT/",
    "http://[0000::0001]:PORT/",
    "http://[::ffff:127.0.0.2]:PORT/",
    "http://[::FFFF:7f00:2]:PORT/",
    "http://[0:0:0:0:0:ffff:127.0.0.2]:PORT/",
    "http://[::127.0.0.2]:PORT/",
    // Unspecified, this network.
    "http://0.0.0.0:PORT/",
    "http://0:PORT/",
    "http://0x0:PORT/",
    "http://0.1.2.3:PORT/",
    "http://[::]:PORT/",
    "http://[::ffff:0.0.0.0]:PORT/",
    // Private networks.
    "http://10.0.0.1:PORT/",
    "http://167772161:PORT/",
    "http://0xa.1:PORT/",
    "http://012.0.0.1:PORT/",
    "http://172.16.0.1:PORT/",
    "http://172.31.255.255:PORT/",
    "http://0xac100001:PORT/",
    "http://192.168.0.1:PORT/",
    "http://3232235521:PORT/",
    "http://0300.0250.0.1:PORT/",
    "http://100.64.0.1:PORT/",
    "http://1681915905:PORT/",
    "http://[fc00::1]:PORT/",
    "http://[fd12:3456::1]:PORT/",
    "http://[::ffff:10.0.0.1]:PORT/",
    "http://[::ffff:c0a8:1]:PORT/",
    // Link local and metadata services.
    "http://169.254.169.254:PORT/latest/meta-data/",
    "http://2852039166:PORT/",
    "http://0xa9fea9fe:PORT/",
    "http://0xa9.0xfe.0xa9.0xfe:PORT/",
    "http://0251.0376.0251.0376:PORT/",
    "http://025177524776:PORT/",
    "http://169.254.43518:PORT/",
    "http://169.16689662:PORT/",
    "http://[::ffff:169.254.169.254]:PORT/",
    "http://[::ffff:a9fe:a9fe]:PORT/",
    "http://[64:ff9b::169.254.169.254]:PORT/",
    "http://[2002:a9fe:a9fe::]:PORT/",
    "http://169.254.170.2:PORT/",
    "http://[fd00:ec2::254]:PORT/",
    "http://100.100.100.200:PORT/",
    "http://1684301000:PORT/",
    "http://168.63.129.16:PORT/",
    "http://192.0.0.192:PORT/",
    "http://[fe80::1]:PORT/",
    "http://[fe80::1%25lo]:PORT/",
    "http://[fe80::1%25eth0]:PORT/",
    // Translators and tunnels.
    "http://[64:ff9b::127.0.0.2]:PORT/",
    "http://[64:ff9b::7f00:2]:PORT/",
    "http://[64:ff9b::a00:1]:PORT/",
    "http://[64:ff9b:1::7f00:2]:PORT/",
    "http://[2002:7f00:2::1]:PORT/",
    "http://[2002:0a00:0001::]:PORT/",
    "http://[2001:0:7f00:2::]:PORT/",
    // Multicast, broadcast, reserved, benchmarking, documentation, anycast services.
    "http://224.0.0.1:PORT/",
    "http://239.255.255.250:PORT/",
    "http://3758096385:PORT/",
    "http://255.255.255.255:PORT/",
    "http://0xffffffff:PORT/",
    "http://240.0.0.1:PORT/",
    "http://198.18.0.1:PORT/",
    "http://192.0.2.1:PORT/",
    "http://198.51.100.1:PORT/",
    "http://203.0.113.1:PORT/",
    "http://192.88.99.1:PORT/",
    "http://192.0.0.8:PORT/",
    "http://[ff02::1]:PORT/",
    "http://[ff0e::1]:PORT/",
    "http://[2001:db8::1]:PORT/",
    "http://[3fff::1]:PORT/",
    "http://[2001:2::1]:PORT/",
    "http://[2001:10::1]:PORT/",
    "http://[100::1]:PORT/",
    "http://[5f00::1]:PORT/",
    "http://[fec0::1]:PORT/",
    "http://[4000::1]:PORT/",
    // Credentials.
    "http://user@127.0.0.1:PORT/",
    "http://user:secret@127.0.0.1:PORT/",
    "http://:@127.0.0.1:PORT/",
    "http://@127.0.0.1:PORT/",
    "http://127.0.0.1:PORT@127.0.0.2:PORT/",
    "http://127.0.0.1%40127.0.0.2:PORT/",
    "http://127.0.0.1\\@127.0.0.2:PORT/",
    // Other schemes.
    "file:///etc/passwd",
    "FILE:///etc/passwd",
    "file://127.0.0.1/etc/passwd",
    "ftp://127.0.0.1:PORT/",
    "gopher://127.0.0.1:PORT/_GET%20/",
    "dict://127.0.0.1:PORT/info",
    "ldap://127.0.0.1:PORT/",
    "smb://127.0.0.1:PORT/a/b",
    "tftp://127.0.0.1:PORT/a",
    "telnet://127.0.0.1:PORT/",
    "ws://127.0.0.1:PORT/",
    "scp://127.0.0.1:PORT/a",
    "data:image/png;base64,AAAA",
    "javascript:alert(1)",
    "about:blank",
    // Ports.
    "http://127.0.0.1/",
    "http://127.0.0.1:22/",
    "http://127.0.0.1:0/",
    "http://127.0.0.1:65536/",
    "http://127.0.0.1:99999999999/",
    "http://127.0.0.1:-1/",
    "http://127.0.0.1:0x50/",
    // What is no URL.
    "http://",
    "http://:PORT/",
    "http://[::1:PORT/",
    "http://[127.0.0.2]:PORT/",
    "http://127.0.0.1:PORT:PORT/",
    "http://127.0.0.1 127.0.0.2:PORT/",
    "http://127.0.0.1\t:PORT/",
    "http://127.0.0.1\r\nHost: a:PORT/",
    "http://a b:PORT/",
};

// Spellings that the library may turn into an address, or into a name nobody has.
constexpr const char* curious_urls[] = {
    "http://127.0.0.2%00.test:PORT/",
    "http://\xEF\xBC\x91\xEF\xBC\x92\xEF\xBC\x97.0.0.2:PORT/",  // Fullwidth digits.
    "http://127\xE3\x80\x82"
    "0\xE3\x80\x82"
    "0\xE3\x80\x82"
    "2:PORT/",                                                  // Ideographic full stops.
    "http://\xE2\x91\xA0\xE2\x91\xA1\xE2\x91\xA6.0.0.2:PORT/",  // Circled digits.
    "http://0x7f.0x0.0x0.0x2.:PORT/",
    "http://127.0.0.2..:PORT/",
    "http://1.2.3.4.5:PORT/",
    "http://256.0.0.1:PORT/",
    "http://4294967296:PORT/",
    "http://0x17f000002:PORT/",
    "http://[::ffff:127.0.0.2%25]:PORT/",
    "http://[::127.0.0.2.test]:PORT/",
    "http:/127.0.0.2:PORT/",
    "http:///127.0.0.2:PORT/",
    "http:127.0.0.2:PORT/",
    "//127.0.0.2:PORT/",
    "127.0.0.2:PORT/",
};

struct HostileUrlsTest : FetchTest {
    // Answers on every address of this machine; nobody may reach it.
    Origin inner{replying([](auto&, auto&) { return test::ok_answer("secret"); }), "0.0.0.0"};

    std::string with_port(const char* pattern, const std::string& port) const {
        std::string text = pattern;
        for (std::size_t at = 0; (at = text.find("PORT", at)) != std::string::npos;) {
            text.replace(at, 4, port);
        }
        return text;
    }
    std::string target(const char* pattern) const {
        return with_port(pattern, std::to_string(inner.port()));
    }
};

TEST_F(HostileUrlsTest, none_is_opened) {
    open_for({&inner});
    for (const char* pattern : hostile_urls) {
        EXPECT_EQ(get(target(pattern)).failure, Failure::bad_url) << pattern;
        EXPECT_EQ(post(target(pattern)).failure, Failure::bad_url) << pattern;
        EXPECT_FALSE(fetcher->check_url(target(pattern)).has_value()) << pattern;
    }
    for (const char* pattern : curious_urls) {
        EXPECT_NE(get(target(pattern)).failure, Failure::none) << pattern;
    }
    EXPECT_EQ(inner.connections(), 0);
}

TEST_F(HostileUrlsTest, none_is_reached_by_a_redirect) {
    std::string location;
    const Origin origin(replying([&](auto&, auto&) {
        return "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + "\r\n\r\n";
    }));
    open_for({&inner, &origin});
    const auto redirect_to = [&](const char* pattern) {
        location = target(pattern);
        return get(url(origin)).failure;
    };
    for (const char* pattern : hostile_urls) {
        // A line break ends the header and so makes another address.
        if (std::string_view(pattern).find('\r') != std::string_view::npos) continue;
        EXPECT_EQ(redirect_to(pattern), Failure::bad_url) << pattern;
    }
    for (const char* pattern : curious_urls) {
        // Relative here: it leads back to the origin, again and again.
        EXPECT_NE(redirect_to(pattern), Failure::none) << pattern;
    }
    EXPECT_EQ(inner.connections(), 0);
}

TEST_F(HostileUrlsTest, production_refuses_loopback_and_plain_http_as_well) {
    const auto strict = Fetcher::open({}).value();
    for (const char* address :
         {"http://8.8.8.8/", "https://127.0.0.1/", "https://localhost/", "https://LOCALHOST./",
          "https://a.localhost/", "https://8.8.8.8:8443/", "https://[::ffff:127.0.0.1]/"}) {
        EXPECT_FALSE(strict->check_url(address).has_value()) << address;
    }
    for (const char* address :
         {"https://8.8.8.8/", "https://example.com/a.png?b=c#d", "https://example.com:443/",
          "HTTPS://EXAMPLE.com", "https://[2606:4700::1111]/", "https://localhost.example.com/"}) {
        EXPECT_TRUE(strict->check_url(address).has_value()) << address;
    }
}

TEST_F(HostileUrlsTest, development_may_open_this_machine_but_no_metadata_service) {
    policy.allow_private_addresses = true;
    fetcher = Fetcher::open(policy).value();
    EXPECT_EQ(as_text(get(url(inner, "/", "127.0.0.2")).body), "secret");
    EXPECT_EQ(as_text(get(url(inner, "/", "localhost")).body), "secret");
    for (const char* pattern :
         {"http://169.254.169.254:PORT/", "http://[fd00:ec2::254]:PORT/", "http://0.0.0.0:PORT/",
          "http://[::ffff:169.254.169.254]:PORT/", "http://224.0.0.1:PORT/"}) {
        EXPECT_EQ(get(target(pattern)).failure, Failure::bad_url) << pattern;
    }
}

TEST_F(HostileUrlsTest, a_redirect_from_https_to_http_needs_http_to_be_allowed) {
    const UrlRules strict{Policy{}};
    const auto base = strict.check("https://example.com/a/b?c").value();
    EXPECT_FALSE(strict.check_redirect(base, "http://example.com/").has_value());
    EXPECT_EQ(strict.check_redirect(base, "../d").value().text(), "https://example.com/d");
    EXPECT_EQ(strict.check_redirect(base, "//example.org/e").value().text(),
              "https://example.org/e");
    EXPECT_FALSE(strict.check_redirect(base, "//127.0.0.1/e").has_value());
    EXPECT_FALSE(strict.check_redirect(base, "//user@example.org/e").has_value());
}

TEST_F(HostileUrlsTest, the_longest_url_is_accepted_and_one_byte_more_is_not) {
    const UrlRules strict{Policy{}};
    const std::string start = "https://example.com/";
    const std::string longest =
        start + std::string(limits::outbound_url_bytes_max - start.size(), 'a');
    EXPECT_TRUE(strict.check(longest).has_value());
    EXPECT_FALSE(strict.check(longest + "a").has_value());
    EXPECT_FALSE(strict.check(std::string_view("https://example.com/\0a", 22)).has_value());
}

TEST_F(HostileUrlsTest, what_is_wrong_is_said_without_quoting_the_url) {
    open_for({&inner});
    const Fetched fetched = get("http://user:secret@127.0.0.1/");
    EXPECT_FALSE(fetched.detail.empty());
    EXPECT_EQ(fetched.detail.find("secret"), std::string::npos);
}

}  // namespace
}  // namespace satchel::fetch
