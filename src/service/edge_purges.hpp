// Tells the edge (a CDN or a caching proxy in front of the downloads) of what was deleted, until
// it says that it knows. docs/operations/edge.md is what it hears.
//
// A job of its own for each deletion, written in the transaction that deletes: nobody's DELETE
// waits for the edge. Used on one loop, but for totals().
#pragma once

#include "fetch/fetch.hpp"
#include "jobs/runner.hpp"
#include "meta/edge_purges.hpp"
#include "service/urls.hpp"

#include <atomic>
#include <cstdint>
#include <string>

namespace satchel {

enum class PurgeMethod : std::uint8_t { post, purge };

struct EdgeSettings {
    std::string url;    // Without a trailing slash.
    std::string token;  // Empty: no Authorization header.
    PurgeMethod method = PurgeMethod::post;
};

class EdgePurges final : public jobs::Worker {
public:
    struct Parts {
        meta::Database& database;
        fetch::Fetcher& fetcher;
        const UrlMaker& urls;
        EdgeSettings settings;
    };
    explicit EdgePurges(Parts parts) : parts_(std::move(parts)) {}

    Result<> taken(meta::Session& session, const meta::Job& job, Time now) override;
    Async<jobs::Settle> attempt(meta::Job job) override;
    Result<> given_up(meta::Session& session, const meta::Job& job, const Error& why) override;

    struct Totals {
        std::uint64_t accepted = 0;
        std::uint64_t given_up = 0;
    };
    Totals totals() const { return {accepted_, given_up_}; }  // From any thread.

private:
    Async<> post(const meta::EdgePurge& purge);
    Async<> purge(const meta::EdgePurge& purge);
    Async<> ask(fetch::PostRequest request);

    Parts parts_;
    std::atomic<std::uint64_t> accepted_ = 0;
    std::atomic<std::uint64_t> given_up_ = 0;
};

}  // namespace satchel
