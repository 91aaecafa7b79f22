#include "meta/partners.hpp"

#include "meta/database_suite.hpp"

namespace satchel::meta {
namespace {

using namespace std::chrono_literals;

TEST_P(PartnersSuite, a_partner_is_found_by_id_and_by_name) {
    const Partner partner = add("acme");
    const auto by_id = read([&](Session& s) { return find_partner(s, partner.id); }).value();
    ASSERT_TRUE(by_id);
    EXPECT_EQ(by_id->id, partner.id);
    EXPECT_EQ(by_id->name, "acme");
    EXPECT_EQ(by_id->created_at, noon);
    EXPECT_EQ(by_id->disabled_at, std::nullopt);
    const auto by_name = read([](Session& s) { return find_partner_named(s, "acme"); }).value();
    EXPECT_EQ(by_name.value().id, partner.id);
    EXPECT_FALSE(read([](Session& s) { return find_partner(s, PartnerId::random()); }).value());
    EXPECT_FALSE(read([](Session& s) { return find_partner_named(s, "ACME"); }).value());
}

TEST_P(PartnersSuite, a_name_is_taken_once) {
    add("acme");
    const auto again = write([](Session& s) {
        return insert_partner(s, {.id = PartnerId::random(), .name = "acme", .created_at = noon});
    });
    EXPECT_EQ(again.error().code, Errc::conflict);
}

TEST_P(PartnersSuite, partners_are_listed_in_the_order_they_came) {
    const Partner second = add("b", noon + 1s);
    const Partner first = add("c", noon);
    const auto partners = read(all_partners).value();
    ASSERT_EQ(partners.size(), 2U);
    EXPECT_EQ(partners[0].id, first.id);
    EXPECT_EQ(partners[1].id, second.id);
}

TEST_P(PartnersSuite, disabling_keeps_the_first_time_and_shuts_the_partners_keys_out) {
    const Partner partner = add("acme");
    add_key(partner.id, hash_);
    EXPECT_TRUE(disable(partner.id, noon + 1h));
    EXPECT_TRUE(disable(partner.id, noon + 2h));
    EXPECT_FALSE(disable(PartnerId::random(), noon));
    const auto found = read([&](Session& s) { return find_partner(s, partner.id); }).value();
    EXPECT_EQ(found.value().disabled_at, noon + 1h);
    EXPECT_FALSE(caller(hash_));
    EXPECT_TRUE(exists(hash_));
}

TEST_P(PartnersSuite, a_live_key_names_its_caller) {
    const Partner partner = add("acme");
    const ApiKey key = add_key(partner.id, hash_);
    const auto found = caller(hash_);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->partner, partner.id);
    EXPECT_EQ(found->key, key.id);
    EXPECT_FALSE(caller(other_hash_));
    EXPECT_TRUE(exists(hash_));
    EXPECT_FALSE(exists(other_hash_));
}

TEST_P(PartnersSuite, a_revoked_key_names_nobody_and_keeps_its_first_time) {
    const Partner partner = add("acme");
    const ApiKey key = add_key(partner.id, hash_);
    add_key(partner.id, other_hash_, noon + 1s);
    EXPECT_TRUE(revoke(key.id, noon + 1h));
    EXPECT_TRUE(revoke(key.id, noon + 2h));
    EXPECT_FALSE(revoke(ApiKeyId::random(), noon));
    EXPECT_FALSE(caller(hash_));
    EXPECT_TRUE(caller(other_hash_));
    EXPECT_TRUE(exists(hash_));
    const auto keys = read([&](Session& s) { return api_keys_of(s, partner.id); }).value();
    ASSERT_EQ(keys.size(), 2U);
    EXPECT_EQ(keys[0].id, key.id);
    EXPECT_EQ(keys[0].partner, partner.id);
    EXPECT_EQ(keys[0].hint, "x7Qz");
    EXPECT_EQ(keys[0].revoked_at, noon + 1h);
    EXPECT_EQ(keys[1].revoked_at, std::nullopt);
}

TEST_P(PartnersSuite, a_key_hash_is_taken_once) {
    const Partner partner = add("acme");
    add_key(partner.id, hash_);
    const auto again = write([&](Session& s) {
        return insert_api_key(s, {.id = ApiKeyId::random(), .partner = partner.id}, hash_);
    });
    EXPECT_EQ(again.error().code, Errc::conflict);
}

TEST_P(PartnersSuite, keys_and_lines_of_an_unknown_partner_are_a_conflict) {
    const auto key = write([this](Session& s) {
        return insert_api_key(s, {.id = ApiKeyId::random(), .partner = PartnerId::random()}, hash_);
    });
    EXPECT_EQ(key.error().code, Errc::conflict);
    const auto line = write([](Session& s) {
        return insert_line(s, {.number = "+12025550100", .partner = PartnerId::random()});
    });
    EXPECT_EQ(line.error().code, Errc::conflict);
}

TEST_P(PartnersSuite, a_line_belongs_to_one_partner_until_it_is_removed) {
    const Partner a = add("a");
    const Partner b = add("b");
    const auto insert_for = [this](PartnerId partner, const std::string& number) {
        return write([=](Session& s) {
            return insert_line(s, {.number = number, .partner = partner, .created_at = noon});
        });
    };
    const auto remove = [this](const std::string& number) {
        return write([=](Session& s) { return remove_line(s, number); }).value();
    };
    ASSERT_TRUE(insert_for(a.id, "+12025550101"));
    ASSERT_TRUE(insert_for(a.id, "+12025550100"));
    EXPECT_EQ(insert_for(b.id, "+12025550100").error().code, Errc::conflict);
    const auto lines = read(all_lines).value();
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0].number, "+12025550100");
    EXPECT_EQ(lines[0].partner, a.id);
    EXPECT_EQ(lines[0].created_at, noon);
    EXPECT_EQ(lines[1].number, "+12025550101");
    EXPECT_TRUE(remove("+12025550100"));
    EXPECT_FALSE(remove("+12025550100"));
    EXPECT_TRUE(insert_for(b.id, "+12025550100"));
}

}  // namespace
}  // namespace satchel::meta
