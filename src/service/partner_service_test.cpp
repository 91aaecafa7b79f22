#include "service/partner_service.hpp"

#include "meta/sqlite.hpp"
#include "model/api_errors.hpp"
#include "tests/support/run.hpp"
#include "tests/support/temp_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace satchel {
namespace {

using test::run;

struct PartnerServiceTest : testing::Test {
    test::TempFolder folder;
    Clock clock{Time{std::chrono::seconds(1'800'000'000)}};
    std::unique_ptr<meta::Database> database = *meta::open_sqlite({.file = folder / "meta.db"});
    PartnerService service{*database, clock};

    NewPartner add(std::string name) {
        auto made = run(service.add_partner(std::move(name)));
        EXPECT_TRUE(made);
        return *made;
    }
    bool works(std::string_view key) { return run(service.authenticate(key)).has_value(); }
    template <class T>
    static const Reason* reason(const Result<T>& result) {
        return result ? nullptr : result.error().reason;
    }
    std::vector<std::string> numbers() {
        std::vector<std::string> all;
        const auto lines = run(service.lines());
        EXPECT_TRUE(lines);
        for (const Line& line : *lines) all.push_back(line.number);
        return all;
    }
};

TEST_F(PartnerServiceTest, a_new_partner_comes_with_a_key_that_works) {
    const NewPartner made = add("alice");
    EXPECT_THAT(made.first_key.secret, testing::MatchesRegex("sat_[A-Za-z0-9_-]{43}"));
    EXPECT_EQ(made.first_key.key.hint, made.first_key.secret.substr(43));
    const auto caller = run(service.authenticate(made.first_key.secret));
    ASSERT_TRUE(caller);
    EXPECT_EQ(caller->partner, made.partner.id);
    EXPECT_EQ(caller->key, made.first_key.key.id);
}

TEST_F(PartnerServiceTest, what_is_no_live_key_is_unauthorized) {
    const std::string key = add("alice").first_key.secret;
    for (const std::string& token : {std::string(), std::string("sat_"), key.substr(0, 46),
                                     key + "x", std::string(5000, 'a')}) {
        EXPECT_EQ(reason(run(service.authenticate(token))), &reasons::unauthorized) << token;
    }
}

TEST_F(PartnerServiceTest, the_text_of_a_key_is_in_no_file) {
    const std::string key = add("alice").first_key.secret;
    EXPECT_TRUE(works(key));
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
        std::ifstream stream(entry.path(), std::ios::binary);
        const std::string content{std::istreambuf_iterator<char>(stream), {}};
        EXPECT_EQ(content.find(key.substr(4)), std::string::npos) << entry.path();
    }
}

TEST_F(PartnerServiceTest, a_revoked_key_stops_at_once_and_others_go_on) {
    const NewPartner made = add("alice");
    const auto second = run(service.add_key(made.partner.id));
    ASSERT_TRUE(second);
    EXPECT_TRUE(works(made.first_key.secret));
    EXPECT_TRUE(works(second->secret));
    EXPECT_TRUE(run(service.revoke_key(made.first_key.key.id)));
    EXPECT_FALSE(works(made.first_key.secret));
    EXPECT_TRUE(works(second->secret));
    const auto keys = run(service.keys(made.partner.id));
    ASSERT_TRUE(keys);
    EXPECT_EQ(keys->size(), 2U);
}

TEST_F(PartnerServiceTest, a_disabled_partner_has_no_working_key) {
    const NewPartner alice = add("alice");
    const NewPartner bob = add("bob");
    EXPECT_TRUE(works(alice.first_key.secret));
    EXPECT_TRUE(run(service.disable_partner(alice.partner.id)));
    EXPECT_FALSE(works(alice.first_key.secret));
    EXPECT_TRUE(works(bob.first_key.secret));
    EXPECT_TRUE(run(service.partner("alice"))->disabled_at);
}

TEST_F(PartnerServiceTest, names_are_checked_and_taken_once) {
    add("alice");
    for (const std::string& name : {std::string("alice"), std::string(), std::string(101, 'a'),
                                    std::string("a\nb"), PartnerId::random().str()}) {
        EXPECT_EQ(reason(run(service.add_partner(name))), &reasons::invalid_parameter) << name;
    }
    EXPECT_EQ(run(service.partners())->size(), 1U);
}

TEST_F(PartnerServiceTest, a_partner_is_found_by_id_and_by_name) {
    const Partner alice = add("alice").partner;
    EXPECT_EQ(run(service.partner("alice"))->id, alice.id);
    EXPECT_EQ(run(service.partner(alice.id.str()))->name, "alice");
    EXPECT_EQ(reason(run(service.partner("bob"))), &reasons::resource_not_found);
    EXPECT_EQ(reason(run(service.partner(PartnerId::random().str()))),
              &reasons::resource_not_found);
}

TEST_F(PartnerServiceTest, what_does_not_exist_is_not_found) {
    EXPECT_EQ(reason(run(service.disable_partner(PartnerId::random()))),
              &reasons::resource_not_found);
    EXPECT_EQ(reason(run(service.revoke_key(ApiKeyId::random()))), &reasons::resource_not_found);
    EXPECT_EQ(reason(run(service.add_key(PartnerId::random()))), &reasons::resource_not_found);
    EXPECT_EQ(reason(run(service.keys(PartnerId::random()))), &reasons::resource_not_found);
    EXPECT_EQ(reason(run(service.remove_line("+15550100001"))), &reasons::resource_not_found);
}

TEST_F(PartnerServiceTest, ensuring_a_partner_twice_changes_nothing) {
    const std::string key = "sat_" + std::string(43, 'k');
    const auto first = run(service.ensure_partner("demo", key));
    const auto second = run(service.ensure_partner("demo", key));
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->id, second->id);
    EXPECT_EQ(run(service.keys(first->id))->size(), 1U);
    EXPECT_TRUE(works(key));
}

TEST_F(PartnerServiceTest, ensuring_a_partner_does_not_bring_a_revoked_key_back) {
    const std::string key = "sat_" + std::string(43, 'k');
    const auto demo = run(service.ensure_partner("demo", key));
    ASSERT_TRUE(demo);
    const auto keys = run(service.keys(demo->id));
    ASSERT_TRUE(run(service.revoke_key(keys->front().id)));
    ASSERT_TRUE(run(service.ensure_partner("demo", key)));
    EXPECT_FALSE(works(key));
}

TEST_F(PartnerServiceTest, a_line_belongs_to_one_partner) {
    const Partner alice = add("alice").partner;
    const Partner bob = add("bob").partner;
    EXPECT_TRUE(run(service.add_line(alice.id, "+15550100001")));
    EXPECT_TRUE(run(service.add_line(alice.id, "+15550100001")));
    EXPECT_EQ(reason(run(service.add_line(bob.id, "+15550100001"))), &reasons::invalid_parameter);
    EXPECT_EQ(reason(run(service.add_line(PartnerId::random(), "+15550100002"))),
              &reasons::resource_not_found);
    EXPECT_THAT(numbers(), testing::ElementsAre("+15550100001"));
    EXPECT_TRUE(run(service.remove_line("+15550100001")));
    EXPECT_THAT(numbers(), testing::IsEmpty());
}

TEST_F(PartnerServiceTest, a_line_is_a_number_in_e164_form) {
    const Partner alice = add("alice").partner;
    for (const std::string& number : {"", "+", "+1", "15550100001", "+0155501000", "+1555 010",
                                      "+1234567890123456", "+1555010000a"}) {
        EXPECT_EQ(reason(run(service.add_line(alice.id, number))), &reasons::invalid_parameter)
            << number;
    }
    EXPECT_TRUE(is_e164("+12"));
    EXPECT_TRUE(is_e164("+123456789012345"));
}

TEST(LiveKeys, what_was_read_before_a_revocation_is_not_remembered_after_it) {
    LiveKeys live;
    const LiveKeys::Hash hash{std::byte{1}};
    const Caller caller{PartnerId::random(), ApiKeyId::random()};
    const auto before = live.generation();
    live.forget_all();
    live.remember(hash, caller, before);
    EXPECT_FALSE(live.find(hash));
    live.remember(hash, caller, live.generation());
    EXPECT_TRUE(live.find(hash));
    live.forget_all();
    EXPECT_FALSE(live.find(hash));
}

}  // namespace
}  // namespace satchel
