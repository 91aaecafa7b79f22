// What tells the edge of deletions, joined: section edge of the settings.
#pragma once

#include "admin/metrics.hpp"
#include "app/config.hpp"
#include "fetch/fetch.hpp"
#include "jobs/runner.hpp"
#include "service/edge_purges.hpp"

#include <memory>

namespace satchel::app {

class EdgeWork {
public:
    struct Parts {
        Loop& loop;
        meta::Database& database;
        const Clock& clock;
        const UrlMaker& urls;
    };
    // Errc::invalid_argument if edge.ca_file cannot be used.
    static Result<std::unique_ptr<EdgeWork>> open(const Config& config, Parts parts);

    void add_metrics(admin::Metrics& metrics) const;
    jobs::Runner& runner() { return runner_; }

private:
    EdgeWork(std::unique_ptr<fetch::Fetcher> fetcher, EdgeSettings settings, Parts parts);

    std::unique_ptr<fetch::Fetcher> fetcher_;
    EdgePurges purges_;
    jobs::Runner runner_;
};

}  // namespace satchel::app
