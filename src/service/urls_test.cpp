#include "service/urls.hpp"

#include "base/limits.hpp"

#include <gtest/gtest.h>

#include <array>

namespace satchel {
namespace {

using crypto::sigv4::NamedValue;
using crypto::sigv4::Presigner;
using Verdict = Presigner::Verdict;

struct SignedDownloadTest : testing::Test {
    const Time now{std::chrono::seconds(1'800'000'000)};
    Presigner presigner{{"satchel", "secret", "local"}};

    std::string url_below(std::string cdn) const {
        const UrlMaker urls{{"http://a.test", "http://a.test", std::move(cdn)}, presigner};
        Attachment attachment;
        attachment.id = AttachmentId::random();
        attachment.partner = PartnerId::random();
        attachment.filename = "a b.jpg";
        return urls.signed_download_url(attachment, now);
    }
    // As the server is asked: path and query as they arrive there.
    Verdict verify(std::string_view method,
                   std::string_view host,
                   std::string_view path_and_query,
                   Time at) const {
        const auto question = path_and_query.find('?');
        const std::array headers{NamedValue{"Host", host}};
        return presigner.verify({method, path_and_query.substr(0, question),
                                 path_and_query.substr(question + 1), headers},
                                {}, {}, at);
    }
};

TEST_F(SignedDownloadTest, the_url_holds_for_its_host_and_path_and_a_quarter_of_an_hour) {
    const std::string url = url_below("http://cdn.test:8080");
    const std::string local = url.substr(std::string("http://cdn.test:8080").size());
    EXPECT_TRUE(local.starts_with(signed_download_path_prefix));
    EXPECT_NE(local.find("/a%20b.jpg?X-Amz-"), std::string::npos);
    EXPECT_EQ(verify("GET", "cdn.test:8080", local, now), Verdict::ok);
    const Time last = now + limits::signed_download_life - std::chrono::seconds(1);
    EXPECT_EQ(verify("GET", "cdn.test:8080", local, last), Verdict::ok);
    EXPECT_EQ(verify("GET", "cdn.test:8080", local, last + std::chrono::seconds(1)),
              Verdict::expired);
    EXPECT_EQ(verify("PUT", "cdn.test:8080", local, now), Verdict::signature_mismatch);
    EXPECT_EQ(verify("GET", "other.test", local, now), Verdict::signature_mismatch);
    EXPECT_EQ(verify("GET", "cdn.test:8080", "/attachments/x" + local, now),
              Verdict::signature_mismatch);
}

TEST_F(SignedDownloadTest, the_path_of_the_cdns_base_is_not_signed) {
    const std::string base = "https://files.test:443/cdn";
    const std::string url = url_below(base);
    ASSERT_TRUE(url.starts_with(base + std::string(signed_download_path_prefix)));
    EXPECT_EQ(verify("GET", "files.test", url.substr(base.size()), now), Verdict::ok);
}

}  // namespace
}  // namespace satchel
