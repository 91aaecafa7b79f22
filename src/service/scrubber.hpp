// Reads all that is stored, again and again, slowly, so that a disk's damage is known while the
// backups still have what it destroyed. Repairs and removes nothing.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "model/ids.hpp"
#include "service/stored_check.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>

namespace satchel {

// Used on one loop, but for the totals.
class Scrubber final : private Pace {
public:
    struct Parts {
        Loop& loop;
        meta::Database& database;
        blob::Store& blobs;
        const crypto::KeyRing& keys;
        BlockingPool& pool;
        const Clock& clock;
        std::filesystem::path state_file;  // Where a restart goes on: docs/formats/backup.md.
        std::uint64_t bytes_per_second = 0;
        std::chrono::seconds interval{};  // From the end of one pass to the next.
    };
    explicit Scrubber(Parts parts);

    // Until stop(). At once, if no bytes are allowed.
    Task<> run();
    void stop();

    // Usable from every thread. Counted since the start of the process.
    struct Totals {
        std::uint64_t bytes = 0;
        std::uint64_t attachments = 0;
        std::uint64_t errors = 0;
        double passed_at_seconds = 0;  // Since 1970: the end of the last whole pass; 0: none.
    };
    Totals totals() const;

private:
    using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                             asio::wait_traits<std::chrono::steady_clock>,
                                             Loop::executor_type>;

    Async<> after(std::size_t bytes) override;
    Async<> pass();
    Async<> look_at(const meta::AttachmentRow& row);
    Task<> wait(std::chrono::steady_clock::duration time);
    bool is_due() const;
    void load();
    Async<> save();

    Parts parts_;
    Timer timer_;
    bool stopping_ = false;
    AttachmentId after_;  // The last that was looked at in this pass.
    Time passed_at_{};
    std::chrono::steady_clock::time_point next_read_{};
    std::chrono::steady_clock::time_point next_save_{};
    std::atomic<std::uint64_t> bytes_{0};
    std::atomic<std::uint64_t> attachments_{0};
    std::atomic<std::uint64_t> errors_{0};
    std::atomic<std::int64_t> passed_at_micros_{0};
};

}  // namespace satchel
