#include "meta/usage.hpp"

#include "meta/columns.hpp"

namespace satchel::meta {
namespace {

#define SATCHEL_COUNTED_USAGE                                             \
    "SELECT partner, count(CASE WHEN state = 'pending' THEN 1 END), "     \
    "count(CASE WHEN state = 'complete' THEN 1 END), "                    \
    "count(CASE WHEN state = 'failed' THEN 1 END), "                      \
    "coalesce(sum(CASE WHEN state = 'pending' THEN size_bytes END), 0), " \
    "coalesce(sum(CASE WHEN state = 'complete' THEN size_bytes END), 0) " \
    "FROM attachments GROUP BY partner"

std::uint64_t count_at(const Statement& row, int column) {
    return static_cast<std::uint64_t>(row.integer(column));
}

template <class Number>
std::optional<Number> limit_at(const Statement& row, int column) {
    if (row.is_null(column)) return std::nullopt;
    return static_cast<Number>(row.integer(column));
}

Result<Usage> read_usage(const Statement& row) {
    Usage usage;
    TRY(usage.partner, id_at<PartnerId>(row, 0));
    usage.pending = count_at(row, 1);
    usage.complete = count_at(row, 2);
    usage.failed = count_at(row, 3);
    usage.pending_bytes = count_at(row, 4);
    usage.complete_bytes = count_at(row, 5);
    return usage;
}

Result<UsageAndLimits> read_both(const Statement& row) {
    UsageAndLimits both;
    TRY(both.usage, read_usage(row));
    both.own.bytes = limit_at<std::uint64_t>(row, 6);
    both.own.files = limit_at<std::uint64_t>(row, 7);
    both.own.pending = limit_at<std::uint64_t>(row, 8);
    both.own.rates.requests = limit_at<std::uint32_t>(row, 9);
    both.own.rates.creates = limit_at<std::uint32_t>(row, 10);
    both.own.rates.sends = limit_at<std::uint32_t>(row, 11);
    return both;
}

}  // namespace

Result<UsageAndLimits> usage_of(Session& session, PartnerId partner) {
    TRY(auto statement,
        session.query("SELECT p.id, coalesce(u.pending, 0), coalesce(u.complete, 0), "
                      "coalesce(u.failed, 0), coalesce(u.pending_bytes, 0), "
                      "coalesce(u.complete_bytes, 0), l.bytes, l.files, l.pending, "
                      "l.requests_per_minute, l.creates_per_minute, l.sends_per_minute "
                      "FROM (SELECT $1 AS id) p LEFT JOIN partner_usage u ON u.partner = p.id "
                      "LEFT JOIN partner_limits l ON l.partner = p.id",
                      partner));
    TRY([[maybe_unused]] const bool found, statement->step());
    return read_both(*statement);
}

Result<std::vector<Usage>> all_usage(Session& session) {
    TRY(auto statement, session.prepare("SELECT partner, pending, complete, failed, pending_bytes, "
                                        "complete_bytes FROM partner_usage ORDER BY partner"));
    return all_rows(*statement, read_usage);
}

Result<std::vector<Usage>> counted_usage(Session& session) {
    TRY(auto statement, session.prepare(SATCHEL_COUNTED_USAGE " ORDER BY partner"));
    return all_rows(*statement, read_usage);
}

Result<> recount_usage(Session& session) {
    CHECK(session.run("DELETE FROM partner_usage"));
    return session.run(
        "INSERT INTO partner_usage (partner, pending, complete, failed, pending_bytes, "
        "complete_bytes) " SATCHEL_COUNTED_USAGE);
}

Result<> store_limits(Session& session, PartnerId partner, const OwnLimits& own) {
    return session.run(
        "INSERT INTO partner_limits (partner, bytes, files, pending, requests_per_minute, "
        "creates_per_minute, sends_per_minute) VALUES ($1, $2, $3, $4, $5, $6, $7) "
        "ON CONFLICT (partner) DO UPDATE SET bytes = excluded.bytes, files = excluded.files, "
        "pending = excluded.pending, requests_per_minute = excluded.requests_per_minute, "
        "creates_per_minute = excluded.creates_per_minute, "
        "sends_per_minute = excluded.sends_per_minute",
        partner, own.bytes, own.files, own.pending, own.rates.requests, own.rates.creates,
        own.rates.sends);
}

}  // namespace satchel::meta
