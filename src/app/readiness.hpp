// Whether the server can do its work: GET /readyz.
#pragma once

#include "base/async.hpp"
#include "blob/store.hpp"
#include "meta/database.hpp"

#include <chrono>
#include <mutex>
#include <string>

namespace satchel::app {

// Usable from every loop.
class Readiness {
public:
    Readiness(meta::Database& database, blob::Store& blobs) : database_(database), blobs_(blobs) {}

    // "database" or "blobs"; empty if both answer. Asked without a token, so the answer is kept for
    // limits::readiness_kept: asking is cheap, checking is not.
    Task<std::string> failing_part();

private:
    Task<std::string> check();

    meta::Database& database_;
    blob::Store& blobs_;
    std::mutex mutex_;
    std::chrono::steady_clock::time_point expires_at_{};
    std::string failing_part_ = "starting";  // Until the first check has an answer.
};

}  // namespace satchel::app
