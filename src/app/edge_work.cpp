#include "app/edge_work.hpp"

#include "app/server_settings.hpp"
#include "base/limits.hpp"

namespace satchel::app {
namespace {

constexpr jobs::RunnerOptions runner_options{
    .kind = meta::purge_job_kind,
    .backoff = {limits::edge_retry_first, limits::edge_attempts_max},
    .lease = limits::edge_lease,
    .parallel_max = limits::edge_purges_parallel_max};

}  // namespace

Result<std::unique_ptr<EdgeWork>> EdgeWork::open(const Config& config, Parts parts) {
    TRY(auto fetcher, fetch::Fetcher::open(edge_policy(config)));
    return std::unique_ptr<EdgeWork>(new EdgeWork(std::move(fetcher), config.edge.purge, parts));
}

EdgeWork::EdgeWork(std::unique_ptr<fetch::Fetcher> fetcher, EdgeSettings settings, Parts parts)
    : fetcher_(std::move(fetcher)),
      purges_({parts.database, *fetcher_, parts.urls, std::move(settings)}),
      runner_(parts.loop, parts.database, parts.clock, purges_, runner_options) {}

void EdgeWork::add_metrics(admin::Metrics& metrics) const {
    metrics.counter("satchel_edge_purges_total", "Deletions that the edge knows of.",
                    [this] { return static_cast<double>(purges_.totals().accepted); });
    metrics.counter("satchel_edge_purges_given_up_total",
                    "Deletions that the edge could not be told of.",
                    [this] { return static_cast<double>(purges_.totals().given_up); });
}

}  // namespace satchel::app
