#include "meta/jobs.hpp"

#include "meta/columns.hpp"

namespace satchel::meta {

Result<> enqueue_job(Session& session, std::string_view kind, std::int64_t subject, Time due) {
    return session.run(
        "INSERT INTO jobs (kind, subject, attempts, is_leased, due_at) VALUES ($1, $2, 0, 0, $3)",
        kind, subject, due);
}

Result<std::vector<Job>> lease_jobs(
    Session& session, std::string_view kind, Time now, Time until, std::size_t max) {
    TRY(auto statement,
        session.query(
            "UPDATE jobs SET attempts = attempts + 1, is_leased = 1, due_at = $3 WHERE seq IN "
            "(SELECT seq FROM jobs WHERE kind = $1 AND due_at <= $2 "
            "ORDER BY due_at, seq LIMIT $4) RETURNING seq, subject, attempts",
            kind, now, until, max));
    return all_rows(*statement, [](const Statement& row) {
        return Result<Job>(
            Job{row.integer(0), row.integer(1), static_cast<std::uint32_t>(row.integer(2))});
    });
}

Result<> finish_job(Session& session, std::int64_t seq) {
    return session.run("DELETE FROM jobs WHERE seq = $1", seq);
}

Result<> postpone_job(Session& session, std::int64_t seq, Time due) {
    return session.run("UPDATE jobs SET due_at = $2, is_leased = 0 WHERE seq = $1", seq, due);
}

Result<std::optional<Time>> next_job_due(Session& session, std::string_view kind) {
    TRY(auto statement,
        session.query("SELECT due_at FROM jobs WHERE kind = $1 ORDER BY due_at LIMIT 1", kind));
    return first_row(*statement,
                     [](const Statement& row) { return Result<Time>(time_at(row, 0)); });
}

Result<> release_jobs(Session& session, std::string_view kind, Time now) {
    return session.run(
        "UPDATE jobs SET due_at = $2, is_leased = 0 WHERE kind = $1 AND is_leased = 1", kind, now);
}

Result<std::uint64_t> count_jobs(Session& session, std::string_view kind) {
    TRY(auto statement, session.query("SELECT count(*) FROM jobs WHERE kind = $1", kind));
    TRY([[maybe_unused]] const bool found, statement->step());
    return static_cast<std::uint64_t>(statement->integer(0));
}

}  // namespace satchel::meta
