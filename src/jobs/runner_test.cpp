#include "jobs/runner.hpp"

#include "meta/sqlite.hpp"
#include "tests/support/run.hpp"
#include "tests/support/temp_folder.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>

#include <map>
#include <set>

namespace satchel::jobs {
namespace {

using test::run;
using namespace std::chrono_literals;

// Fails as it is told, and remembers.
class ScriptedWorker : public Worker {
public:
    std::map<std::int64_t, int> attempts;
    std::set<std::int64_t> done;
    std::set<std::int64_t> abandoned;
    std::optional<Errc> failure;

    Result<> taken(meta::Session& /*session*/, const meta::Job& /*job*/, Time /*now*/) override {
        return {};
    }
    Async<Settle> attempt(meta::Job job) override {
        ++attempts[job.subject];
        if (failure) co_return fail(*failure, "as told");
        co_return Settle([this, subject = job.subject](meta::Session& /*session*/) -> Result<> {
            done.insert(subject);
            return {};
        });
    }
    Result<> given_up(meta::Session& /*session*/,
                      const meta::Job& job,
                      const Error& /*why*/) override {
        abandoned.insert(job.subject);
        return {};
    }
};

struct RunnerTest : testing::Test {
    test::TempFolder folder;
    Clock clock{Time{std::chrono::seconds(1'800'000'000)}};
    std::unique_ptr<meta::Database> database = *meta::open_sqlite({.file = folder / "meta.db"});
    ScriptedWorker worker;
    Loop loop{1};

    void add(std::int64_t subject) {
        auto enqueue = [&](meta::Session& session) {
            return meta::enqueue_job(session, "test", subject, clock.now());
        };
        ASSERT_TRUE(run(database->write(enqueue)));
    }
    std::uint64_t left() {
        auto count = [](meta::Session& session) { return meta::count_jobs(session, "test"); };
        return *run(database->read(count));
    }
    Task<Result<>> run_and_stop(Runner& runner) {
        auto result = co_await runner.run_all_due();
        runner.stop();
        co_await runner.run();
        co_return result;
    }
    void run_due(std::size_t parallel = 4) {
        Runner runner(
            loop, *database, clock, worker,
            {.kind = "test", .backoff = {10s, 3}, .lease = 60s, .parallel_max = parallel});
        std::optional<Result<>> result;
        asio::co_spawn(loop, run_and_stop(runner),
                       [&](const std::exception_ptr&, Result<> value) { result = value; });
        loop.restart();
        loop.run();
        ASSERT_TRUE(result && *result);
    }
};

TEST_F(RunnerTest, every_due_job_is_done_once_and_leaves_the_queue) {
    for (int i = 0; i < 20; ++i) add(i);
    run_due();
    EXPECT_EQ(worker.done.size(), 20U);
    for (const auto& [subject, times] : worker.attempts) EXPECT_EQ(times, 1) << subject;
    EXPECT_EQ(left(), 0U);
}

TEST_F(RunnerTest, a_passing_failure_is_tried_again_later_and_given_up_in_the_end) {
    add(7);
    worker.failure = Errc::unavailable;
    run_due();
    EXPECT_EQ(worker.attempts[7], 1);
    run_due();
    EXPECT_EQ(worker.attempts[7], 1);  // It is not due yet.
    clock.advance(10s);
    run_due();
    EXPECT_EQ(worker.attempts[7], 2);
    clock.advance(10s);
    run_due();
    EXPECT_EQ(worker.attempts[7], 2);  // The second wait is twice as long.
    clock.advance(10s);
    run_due();
    EXPECT_EQ(worker.attempts[7], 3);
    EXPECT_TRUE(worker.abandoned.contains(7));
    EXPECT_EQ(left(), 0U);
}

TEST_F(RunnerTest, a_lasting_failure_is_given_up_at_once) {
    add(7);
    worker.failure = Errc::invalid_argument;
    run_due();
    EXPECT_EQ(worker.attempts[7], 1);
    EXPECT_TRUE(worker.abandoned.contains(7));
}

TEST_F(RunnerTest, what_an_ended_process_had_taken_is_taken_up_again) {
    add(7);
    auto take = [&](meta::Session& session) {
        return meta::lease_jobs(session, "test", clock.now(), clock.now() + 60s, 10);
    };
    ASSERT_EQ(run(database->write(take))->size(), 1U);
    run_due();
    EXPECT_TRUE(worker.done.empty());  // Another has it.
    auto release = [&](meta::Session& session) {
        return meta::release_jobs(session, "test", clock.now());
    };
    ASSERT_TRUE(run(database->write(release)));
    run_due();
    EXPECT_TRUE(worker.done.contains(7));
}

}  // namespace
}  // namespace satchel::jobs
