#include "model/api_errors.hpp"

#include "tests/support/project_file.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace satchel {
namespace {

TEST(ApiErrorsTest, every_reason_is_listed_once_in_the_order_of_codes) {
    std::set<const Reason*> rows;
    std::uint16_t last_code = 0;
    for (const Reason* reason : reasons::all()) {
        rows.insert(reason);
        EXPECT_GE(reason->code, last_code);
        last_code = reason->code;
    }
    EXPECT_EQ(rows.size(), reasons::all().size());
    EXPECT_EQ(rows.size(), 46U);
}

TEST(ApiErrorsTest, a_code_has_four_digits_and_a_status_that_means_failure) {
    for (const Reason* reason : reasons::all()) {
        EXPECT_GE(reason->code, 1000);
        EXPECT_LE(reason->code, 5999);
        EXPECT_GE(reason->status, 400);
        EXPECT_LE(reason->status, 599);
    }
}

TEST(ApiErrorsTest, code_and_status_together_name_one_meaning_but_for_a_bad_request) {
    std::multiset<std::pair<int, int>> seen;
    for (const Reason* reason : reasons::all()) seen.emplace(reason->code, reason->status);
    EXPECT_EQ(seen.count({1003, 400}), 2U);  // The body, or the HTTP around it.
    seen.erase({1003, 400});
    EXPECT_EQ(std::set(seen.begin(), seen.end()).size(), seen.size());
}

TEST(ApiErrorsTest, the_table_of_the_contract_holds) {
    EXPECT_EQ(reasons::unauthorized.code, 2004);
    EXPECT_EQ(reasons::unauthorized.status, 401);
    EXPECT_EQ(reasons::unauthorized.message,
              "Unauthorized - missing or invalid authentication token");
    EXPECT_EQ(reasons::attachment_not_found.code, 2003);
    EXPECT_EQ(reasons::attachment_not_found.status, 404);
    EXPECT_EQ(reasons::attachment_not_found.message, "Attachment not found");
    EXPECT_EQ(reasons::internal_error.code, 3006);
    EXPECT_EQ(reasons::internal_error.message, "Internal server error");
    EXPECT_EQ(reasons::file_too_large.code, 5005);
    EXPECT_EQ(reasons::file_too_large.status, 400);
}

TEST(ApiErrorsTest, retries_can_be_decided_by_the_kind_alone) {
    for (const Reason* reason : reasons::all()) {
        const bool is_transient = reason->errc == Errc::rate_limited ||
                                  reason->errc == Errc::timed_out ||
                                  reason->errc == Errc::unavailable;
        if (is_transient) EXPECT_TRUE(reason->status == 429 || reason->status >= 500);
    }
}

TEST(ApiErrorsTest, the_page_of_a_code_ends_with_a_slash) {
    EXPECT_EQ(reasons::doc_url(reasons::attachment_not_found),
              "https://docs.linqapp.com/error/codes/2xxx/2003/");
    EXPECT_EQ(reasons::doc_url(reasons::invalid_file_type),
              "https://docs.linqapp.com/error/codes/5xxx/5004/");
}

TEST(ApiErrorsDocumentTest, each_reason_has_its_row) {
    const std::string page = test::read_project_file("docs/api/errors.md");
    for (const Reason* reason : reasons::all()) {
        const std::string row = "\n| " + std::to_string(reason->code) + " | " +
                                std::to_string(reason->status) + " | " +
                                std::string(reason->message) + " | ";
        EXPECT_NE(page.find(row), std::string::npos) << "missing:" << row;
    }
}

}  // namespace
}  // namespace satchel
