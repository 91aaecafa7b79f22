// What happens when a name is resolved. This program's getaddrinfo() knows the names of a test
// and no others, so no test asks a real name server.
#include "fetch/fetch_suite.hpp"

#include <dlfcn.h>
#include <netdb.h>

#include <map>

namespace satchel::fetch {
namespace {

using Answer = std::function<std::vector<std::string>()>;

struct Names {
    std::mutex mutex;
    std::map<std::string, Answer> answers;
};

// A resolver's thread may outlive the transfer, and the test, that started it.
Names& names() {
    static Names* const kept = new Names;
    return *kept;
}

Answer answer_for(const std::string& name) {
    const std::lock_guard lock(names().mutex);
    const auto found = names().answers.find(name);
    return found == names().answers.end() ? Answer{} : found->second;
}

int resolve(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
    using Resolve = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
    static const auto real = reinterpret_cast<Resolve>(dlsym(RTLD_NEXT, "getaddrinfo"));
    if (node == nullptr || Address::parse(node)) return real(node, service, hints, result);
    const Answer answer = answer_for(node);
    if (!answer) return EAI_NONAME;
    addrinfo any_family = hints != nullptr ? *hints : addrinfo{};
    any_family.ai_family = AF_UNSPEC;
    *result = nullptr;
    addrinfo** end = result;
    for (const std::string& address : answer()) {
        if (const int code = real(address.c_str(), service, &any_family, end); code != 0) {
            return code;
        }
        while (*end != nullptr) end = &(*end)->ai_next;
    }
    return *result == nullptr ? EAI_NONAME : 0;
}

using test::Authority;
using test::ok_answer;
using test::Origin;
using test::replying;

struct NamesTest : FetchTest {
    ~NamesTest() override {
        const std::lock_guard lock(names().mutex);
        names().answers.clear();
    }

    static void name(const std::string& name, Answer answer) {
        const std::lock_guard lock(names().mutex);
        names().answers[name] = std::move(answer);
    }
    static void name(const std::string& given, std::vector<std::string> addresses) {
        name(given, [addresses = std::move(addresses)] { return addresses; });
    }
};

TEST_F(NamesTest, a_name_is_opened_at_its_address_and_sent_along) {
    std::string head;
    const Origin origin(replying([&](const std::string& h, auto&) {
        head = h;
        return ok_answer("x");
    }));
    name("origin.test", {"127.0.0.1"});
    open_for({&origin});
    EXPECT_EQ(get(url(origin, "/", "origin.test")).failure, Failure::none);
    EXPECT_NE(head.find("Host: origin.test:"), std::string::npos);
}

TEST_F(NamesTest, a_name_that_leads_to_a_special_address_is_refused_at_the_socket) {
    const Origin inner(replying([](auto&, auto&) { return ok_answer("secret"); }), "0.0.0.0");
    open_for({&inner});
    int count = 0;
    for (const char* address : {"127.0.0.2",
                                "0.0.0.0",
                                "10.0.0.1",
                                "172.16.0.1",
                                "192.168.1.1",
                                "100.64.0.1",
                                "169.254.169.254",
                                "100.100.100.200",
                                "168.63.129.16",
                                "192.0.2.1",
                                "198.18.0.1",
                                "224.0.0.1",
                                "255.255.255.255",
                                "::1",
                                "::",
                                "::ffff:127.0.0.2",
                                "::ffff:10.0.0.1",
                                "64:ff9b::7f00:2",
                                "64:ff9b:1::7f00:2",
                                "2002:7f00:2::",
                                "2001::1",
                                "fd00:ec2::254",
                                "fd12::1",
                                "fe80::1",
                                "ff02::1",
                                "2001:db8::1",
                                "3fff::1"}) {
        const std::string given = "n" + std::to_string(++count) + ".test";
        name(given, {address});
        EXPECT_TRUE(fetcher->check_url(url(inner, "/", given)).has_value());
        EXPECT_EQ(get(url(inner, "/", given)).failure, Failure::bad_url) << address;
        EXPECT_EQ(post(url(inner, "/", given)).failure, Failure::bad_url) << address;
    }
    EXPECT_EQ(inner.connections(), 0);
}

TEST_F(NamesTest, of_several_addresses_only_those_allowed_are_connected_to) {
    const Origin origin(replying([](auto&, auto&) { return ok_answer("public"); }));
    name("both.test", {"127.0.0.2", "127.0.0.1"});
    name("neither.test", {"127.0.0.2", "10.0.0.1"});
    open_for({&origin});
    EXPECT_EQ(as_text(get(url(origin, "/", "both.test")).body), "public");
    EXPECT_EQ(get(url(origin, "/", "neither.test")).failure, Failure::bad_url);
}

TEST_F(NamesTest, a_name_that_changes_its_answer_gains_nothing) {
    const Origin inner(replying([](auto&, auto&) { return ok_answer("secret"); }), "127.0.0.2");
    // Each port is resolved anew.
    const Origin origin(replying([&](auto&, auto&) {
        return "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " +
               url(inner, "/", "rebind.test") + "\r\n\r\n";
    }));
    std::atomic<int> asked = 0;
    name("rebind.test", [&]() -> std::vector<std::string> {
        return {++asked % 2 == 1 ? "127.0.0.1" : "127.0.0.2"};
    });
    open_for({&inner, &origin});
    EXPECT_EQ(get(url(origin, "/", "rebind.test")).failure, Failure::bad_url);
    EXPECT_EQ(asked, 2);
    EXPECT_EQ(inner.connections(), 0);
}

TEST_F(NamesTest, a_redirect_to_a_name_with_a_private_address_is_refused) {
    const Origin inner(replying([](auto&, auto&) { return ok_answer("secret"); }), "127.0.0.2");
    const Origin origin(replying([&](auto&, auto&) {
        return "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " +
               url(inner, "/", "inner.test") + "\r\n\r\n";
    }));
    name("inner.test", {"127.0.0.2"});
    open_for({&inner, &origin});
    EXPECT_EQ(get(url(origin)).failure, Failure::bad_url);
    EXPECT_EQ(inner.connections(), 0);
}

TEST_F(NamesTest, a_name_nobody_has_is_unreachable) {
    policy.ports = {80};
    open_for({});
    EXPECT_EQ(get("http://nobody.test/").failure, Failure::unreachable);
}

TEST_F(NamesTest, a_name_server_that_does_not_answer_delays_nobody_else) {
    const Origin origin(replying([](auto&, auto&) { return ok_answer("x"); }));
    const auto gate = std::make_shared<Gate>();
    name("slow.test", [gate]() -> std::vector<std::string> {
        gate->wait();
        return {};
    });
    open_for({&origin});
    // Times out and is taken down while its name is still being looked up.
    EXPECT_EQ(get(url(origin, "/", "slow.test"), 100ms).failure, Failure::timed_out);
    EXPECT_EQ(get(url(origin)).failure, Failure::none);
    fetcher.reset();
    gate->open();
}

struct TlsTest : NamesTest {
    Authority authority;
    test::TempFolder folder;

    void SetUp() override {
        policy.allow_http = false;
        policy.ca_file = folder / "ca.pem";
        authority.write(policy.ca_file);
        name("origin.test", {"127.0.0.1"});
    }
    static Origin::Script answering() {
        return replying([](auto&, auto&) { return ok_answer("private bytes"); });
    }
    static std::string https(const Origin& origin, const std::string& host = "origin.test") {
        return "https://" + host + ":" + std::to_string(origin.port()) + "/";
    }
};

TEST_F(TlsTest, a_certificate_for_the_name_or_the_address_is_accepted) {
    const auto tls = authority.server("DNS:origin.test,IP:127.0.0.1");
    const Origin origin(answering(), "127.0.0.1", tls.get());
    open_for({&origin});
    EXPECT_EQ(as_text(get(https(origin)).body), "private bytes");
    EXPECT_EQ(as_text(get(https(origin, "127.0.0.1")).body), "private bytes");
    EXPECT_EQ(post(https(origin)).status, 200);
}

TEST_F(TlsTest, a_certificate_for_another_name_an_old_one_or_a_strangers_is_refused) {
    const Authority stranger;
    const auto other_name = authority.server("DNS:other.test");
    const auto expired = authority.server("DNS:origin.test", Authority::Life::expired);
    const auto unknown = stranger.server("DNS:origin.test");
    for (SSL_CTX* const tls : {other_name.get(), expired.get(), unknown.get()}) {
        const Origin origin(answering(), "127.0.0.1", tls);
        open_for({&origin});
        EXPECT_EQ(get(https(origin)).failure, Failure::unreachable);
        EXPECT_EQ(post(https(origin)).failure, Failure::unreachable);
    }
}

TEST_F(TlsTest, without_a_ca_file_only_the_systems_authorities_count) {
    const auto tls = authority.server("DNS:origin.test");
    const Origin origin(answering(), "127.0.0.1", tls.get());
    policy.ca_file.clear();
    open_for({&origin});
    EXPECT_EQ(get(https(origin)).failure, Failure::unreachable);
}

TEST_F(TlsTest, old_protocols_are_refused) {
    const auto tls = authority.server("DNS:origin.test");
    SSL_CTX_set_security_level(tls.get(), 0);
    SSL_CTX_set_max_proto_version(tls.get(), TLS1_1_VERSION);
    const Origin origin(answering(), "127.0.0.1", tls.get());
    open_for({&origin});
    EXPECT_EQ(get(https(origin)).failure, Failure::unreachable);
}

TEST_F(TlsTest, a_redirect_away_from_https_is_refused) {
    const auto tls = authority.server("DNS:origin.test");
    const Origin plain(answering());
    const Origin origin(replying([&](auto&, auto&) {
                            return "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " +
                                   url(plain) + "\r\n\r\n";
                        }),
                        "127.0.0.1", tls.get());
    open_for({&plain, &origin});
    EXPECT_EQ(get(https(origin)).failure, Failure::bad_url);
    EXPECT_EQ(plain.connections(), 0);
}

TEST_F(TlsTest, a_plain_server_on_an_https_port_is_unreachable) {
    const Origin plain([](test::OriginConnection& connection) {
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    open_for({&plain});
    EXPECT_EQ(get(https(plain)).failure, Failure::unreachable);
}

TEST_F(TlsTest, a_peer_that_vanishes_while_we_write_stops_nothing) {
    const auto tls = authority.server("DNS:origin.test");
    const Origin origin([](test::OriginConnection& connection) { connection.read_head(); },
                        "127.0.0.1", tls.get());
    open_for({&origin});
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(post(https(origin), std::string(4'000'000, 'x')).failure, Failure::unreachable);
    }
}

}  // namespace
}  // namespace satchel::fetch

// Takes the place of the C library's for everything in this program.
extern "C" int getaddrinfo(const char* node,
                           const char* service,
                           const addrinfo* hints,
                           addrinfo** result) {
    return satchel::fetch::resolve(node, service, hints, result);
}
