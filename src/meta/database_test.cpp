#include "meta/database.hpp"

#include "base/limits.hpp"
#include "meta/database_suite.hpp"
#include "model/api_errors.hpp"

#include <stdexcept>
#include <thread>

namespace satchel::meta {
namespace {

Result<> insert_named(Session& session, const std::string& name) {
    return insert_partner(session, {.id = PartnerId::random(), .name = name, .created_at = noon});
}

Result<std::size_t> count_partners(Session& session) {
    TRY(const auto partners, all_partners(session));
    return partners.size();
}

TEST_P(DatabaseSuite, a_write_that_returned_is_there_after_reopening) {
    ASSERT_TRUE(write([](Session& s) { return insert_named(s, "acme"); }));
    reopen();
    const auto found = read([](Session& s) { return find_partner_named(s, "acme"); });
    EXPECT_TRUE(found.value().has_value());
}

TEST_P(DatabaseSuite, a_write_returns_the_value_of_its_work) {
    const auto count = write([](Session& s) -> Result<std::size_t> {
        CHECK(insert_named(s, "acme"));
        return count_partners(s);
    });
    EXPECT_EQ(count.value(), 1U);
}

TEST_P(DatabaseSuite, an_error_of_the_work_is_returned_and_its_changes_are_undone) {
    const auto result = write([](Session& s) -> Result<> {
        CHECK(insert_named(s, "acme"));
        return fail(Errc::too_large, "no more of this");
    });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::too_large);
    EXPECT_EQ(read(count_partners).value(), 0U);
    EXPECT_EQ(database_->stats().writes, 0U);
}

TEST_P(DatabaseSuite, a_work_that_throws_is_an_internal_error_and_undone) {
    const auto result = write([](Session& s) -> Result<> {
        CHECK(insert_named(s, "acme"));
        throw std::runtime_error("bug");
    });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::internal);
    EXPECT_EQ(read(count_partners).value(), 0U);
}

TEST_P(DatabaseSuite, an_error_of_a_read_is_returned) {
    const auto result = read([](Session&) -> Result<int> { return fail(Errc::not_found, "x"); });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::not_found);
}

TEST_P(DatabaseSuite, a_violated_constraint_is_a_conflict) {
    ASSERT_TRUE(write([](Session& s) { return insert_named(s, "acme"); }));
    const auto result = write([](Session& s) { return insert_named(s, "acme"); });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::conflict);
}

TEST_P(DatabaseSuite, wrong_sql_is_an_internal_error) {
    const auto result = write([](Session& s) { return s.run("INSERT INTO nowhere VALUES (1)"); });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::internal);
    EXPECT_TRUE(write([](Session& s) { return insert_named(s, "acme"); }));
}

TEST_P(DatabaseSuite, parameters_are_numbered_not_counted) {
    const auto result = read([](Session& s) -> Result<std::string> {
        TRY(auto statement,
            s.query("SELECT name FROM partners WHERE created_at < $2 AND name = $1", "acme", 5));
        TRY(const bool found, statement->step());
        return found ? std::string(statement->text(0)) : "none";
    });
    EXPECT_EQ(result.value(), "none");
    ASSERT_TRUE(write([](Session& s) {
        return insert_partner(
            s, {.id = PartnerId::random(), .name = "acme", .created_at = from_micros(4)});
    }));
    const auto again = read([](Session& s) -> Result<std::string> {
        TRY(auto statement,
            s.query("SELECT name FROM partners WHERE created_at < $2 AND name = $1", "acme", 5));
        TRY(const bool found, statement->step());
        return found ? std::string(statement->text(0)) : "none";
    });
    EXPECT_EQ(again.value(), "acme");
}

TEST_P(DatabaseSuite, empty_values_are_not_null_and_long_values_are_whole) {
    AttachmentRow row = pending_row();
    row.sealed_name = {};
    row.content_type = "";
    row.blob = std::nullopt;
    AttachmentRow large = pending_row();
    large.sealed_name = Bytes(100'000, std::byte{7});
    large.content_type = std::string(3000, 'x');
    ASSERT_TRUE(insert(row));
    ASSERT_TRUE(insert(large));
    EXPECT_TRUE(find(row.id)->sealed_name.empty());
    EXPECT_EQ(find(row.id)->content_type, "");
    EXPECT_EQ(find(large.id)->sealed_name, large.sealed_name);
    EXPECT_EQ(find(large.id)->content_type, large.content_type);
}

TEST_P(DatabaseSuite, a_write_is_told_whether_others_wait_for_it) {
    const auto look = [this](Session&) -> Result<bool> { return database_->has_waiting_writes(); };
    EXPECT_FALSE(*write(look));
    Gate gate;
    std::optional<Result<>> first;
    std::optional<Result<bool>> looked;
    std::optional<Result<>> behind;
    std::optional<Result<>> opened;
    waiter_.start(database_->write(gate.work()), first);
    waiter_.start(database_->write(look), looked);
    waiter_.start(database_->write([](Session&) -> Result<> { return {}; }), behind);
    waiter_.start(Gate::release(gate), opened);
    waiter_.run();
    EXPECT_TRUE(**looked);
    EXPECT_FALSE(*write(look));
}

TEST_P(DatabaseSuite, waiting_for_what_is_erased_later_comes_to_an_end) {
    const AttachmentRow row = pending_row();
    ASSERT_TRUE(insert(row));
    EXPECT_TRUE(waiter_.wait(database_->wait_until_gone(database_->erasure_mark())))
        << "nothing was erased yet";
    const auto remove = [row](Session& s) { return remove_attachment(s, deletion_of(row)); };
    ASSERT_TRUE(write(remove, Erases::later).value());
    EXPECT_FALSE(find(row.id));
    EXPECT_TRUE(waiter_.wait(database_->wait_until_gone(database_->erasure_mark())));
}

TEST_P(DatabaseSuite, waiting_writes_share_a_commit_and_a_failing_one_undoes_only_itself) {
    constexpr std::size_t count = 50;
    Gate gate;
    std::optional<Result<>> first;
    std::vector<std::optional<Result<>>> results(count);
    waiter_.start(database_->write(gate.work()), first);
    for (std::size_t i = 0; i < count; ++i) {
        // Every tenth takes a name that is taken, after a change of its own.
        waiter_.start(database_->write([i](Session& s) -> Result<> {
            CHECK(insert_named(s, "partner " + std::to_string(i)));
            return i % 10 == 9 ? insert_named(s, "partner 0") : Result<>{};
        }),
                      results[i]);
    }
    std::optional<Result<>> opened;
    waiter_.start(Gate::release(gate), opened);
    waiter_.run();
    ASSERT_TRUE(first.value());
    for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(results[i].value().has_value(), i % 10 != 9) << i;
        if (i % 10 == 9) EXPECT_EQ(results[i]->error().code, Errc::conflict);
    }
    EXPECT_EQ(read(count_partners).value(), 45U);
    const CommitStats stats = database_->stats();
    EXPECT_EQ(stats.writes, 46U);
    EXPECT_LE(stats.commits, 2U);
}

TEST_P(DatabaseSuite, a_full_queue_refuses_writes_and_loses_none_it_took) {
    Gate gate;
    std::optional<Result<>> first;
    constexpr std::size_t count = limits::commit_queue_max + limits::commit_batch_max + 100;
    std::vector<std::optional<Result<>>> results(count);
    waiter_.start(database_->write(gate.work()), first);
    for (auto& result : results) {
        waiter_.start(database_->write([](Session&) -> Result<> { return {}; }), result);
    }
    std::optional<Result<>> opened;
    waiter_.start(Gate::release(gate), opened);
    waiter_.run();
    ASSERT_TRUE(first.value());
    std::size_t done = 0;
    for (const auto& result : results) {
        if (result.value()) {
            ++done;
        } else {
            EXPECT_EQ(result->error().code, Errc::unavailable);
            EXPECT_EQ(result->error().reason, &reasons::overloaded);
        }
    }
    EXPECT_GE(done, limits::commit_queue_max);
    EXPECT_LE(done, limits::commit_queue_max + limits::commit_batch_max);
}

TEST_P(DatabaseSuite, a_read_has_one_view_while_others_write) {
    const auto seen = read([this](Session& s) -> Result<std::pair<std::size_t, std::size_t>> {
        TRY(const auto before, count_partners(s));
        std::thread writer([this] {
            Waiter other;
            const auto result =
                other.wait(database_->write([](Session& w) { return insert_named(w, "acme"); }));
            EXPECT_TRUE(result);
        });
        writer.join();
        TRY(const auto after, count_partners(s));
        return std::pair{before, after};
    });
    EXPECT_EQ(seen.value(), std::pair(std::size_t{0}, std::size_t{0}));
    EXPECT_EQ(read(count_partners).value(), 1U);
}

TEST_P(DatabaseSuite, loops_on_many_threads_read_their_own_writes) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([this, t] {
            Waiter own;
            for (int i = 0; i < 25; ++i) {
                const std::string name = std::to_string(t) + "/" + std::to_string(i);
                const auto written = own.wait(
                    database_->write([name](Session& s) { return insert_named(s, name); }));
                EXPECT_TRUE(written);
                const auto found = own.wait(
                    database_->read([name](Session& s) { return find_partner_named(s, name); }));
                EXPECT_TRUE(found.value().has_value());
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(read(count_partners).value(), 100U);
}

TEST_P(DatabaseSuite, destroying_it_finishes_what_is_queued) {
    std::vector<std::optional<Result<>>> results(20);
    Gate gate;
    std::optional<Result<>> first;
    waiter_.start(database_->write(gate.work()), first);
    for (std::size_t i = 0; i < results.size(); ++i) {
        waiter_.start(
            database_->write([i](Session& s) { return insert_named(s, std::to_string(i)); }),
            results[i]);
    }
    const auto destroy = [](DatabaseSuite& suite) -> Async<> {
        suite.close();
        co_return Result<>{};
    };
    std::optional<Result<>> opened;
    std::optional<Result<>> destroyed;
    waiter_.start(Gate::release(gate), opened);
    waiter_.start(destroy(*this), destroyed);
    waiter_.run();
    for (const auto& result : results) EXPECT_TRUE(result.value());
    reopen();
    EXPECT_EQ(read(count_partners).value(), results.size());
}

}  // namespace
}  // namespace satchel::meta
