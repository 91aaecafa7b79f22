// Pictures through `satchel-media`: one zygote, a confined child for each job.
//
//   jpeg      from image/tiff, heic, heif, jpeg, png, gif, webp
//   preview   from these and application/pdf (first page or frame)
//   stripped  from image/jpeg, png, tiff, heic, heif
//
// The child is believed in nothing: what it says is checked against its output, its output
// against its type, and whatever else it does is an error of convert().
#pragma once

#include "base/limits.hpp"
#include "base/task_group.hpp"
#include "media/converter.hpp"
#include "media/jail_protocol.hpp"
#include "media/jail_report.hpp"
#include "media/memory_budget.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace satchel::media {

class ZygoteProcess;

struct ImageJailOptions {
    std::string program;  // Path of satchel-media.
    std::chrono::seconds job_cpu = limits::media_job_cpu_max;
    std::chrono::milliseconds job_wall = limits::media_job_wall_max;
    std::uint64_t job_memory_bytes = limits::media_job_memory_bytes_max;
    std::uint64_t output_bytes_max = limits::media_output_bytes_max;
};

// Used on one loop, which outlives it, as does the budget.
class ImageJail final : public Converter {
public:
    ImageJail(Loop& loop, MemoryBudget& budget, ImageJailOptions options);
    ~ImageJail() override;  // After stop().
    ImageJail(const ImageJail&) = delete;
    ImageJail& operator=(const ImageJail&) = delete;

    // Starts the zygote, if none runs, and says what the kernel gives. convert() does so by
    // itself. Errc::unavailable if it does not start, or did not shortly before.
    Async<JailReport> start();

    // Whether an order of this form from this type is one for this converter.
    static bool takes(Form form, std::string_view source_type);

    // Called anew after a zygote was lost, it starts another; after failures in a row it is
    // Errc::unavailable until a growing wait is over.
    Async<Product> convert(Order order) override;

    // Ends the zygote and with it every job.
    Task<> stop();

private:
    using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                             asio::wait_traits<std::chrono::steady_clock>,
                                             Loop::executor_type>;
    struct Job;
    struct Finished;

    Async<> ensure_running();
    Result<> begin_start();
    Task<> listen(std::shared_ptr<ZygoteProcess> zygote);
    void lost(const std::shared_ptr<ZygoteProcess>& zygote, const Error& why);
    Async<Finished> run_job(jail::JobMessage message, const Descriptor& input);
    Async<> await_end(Job& job);
    Result<> check_end(const jail::Ended& ended) const;

    Loop& loop_;
    MemoryBudget& budget_;
    ImageJailOptions options_;
    JailReport report_;
    std::shared_ptr<ZygoteProcess> zygote_;  // Once it has said hello.
    std::map<std::uint64_t, Job*> jobs_;
    std::uint64_t last_job_ = 0;
    Timer started_;                            // Cancelled when a start has succeeded or failed.
    std::shared_ptr<ZygoteProcess> starting_;  // Until it has said hello.
    bool stopping_ = false;
    unsigned failures_ = 0;  // Zygotes lost since the last one that ended a job.
    std::chrono::steady_clock::time_point next_start_;
    TaskGroup listeners_;
};

}  // namespace satchel::media
