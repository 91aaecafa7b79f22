// What looks at files, scans and converts them, joined.
#pragma once

#include "app/config.hpp"
#include "media/clamd.hpp"
#include "media/jailed_converter.hpp"
#include "service/content_inspector.hpp"
#include "service/rendition_service.hpp"

#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace satchel::app {

// Where satchel-media stands: as configured, else beside this program.
std::filesystem::path media_program(const Config& config);

class MediaWork {
public:
    struct Parts {
        Loop& loop;  // Of nothing else: see run().
        meta::Database& database;
        blob::Store& blobs;
        const crypto::KeyRing& keys;
        const Clock& clock;
    };
    MediaWork(const Config& config, const Parts& parts);
    MediaWork(const MediaWork&) = delete;
    MediaWork& operator=(const MediaWork&) = delete;

    ContentInspector& inspector() { return inspector_; }
    RenditionService& renditions() { return renditions_; }

    // Turns the loop until it is stopped. On a thread of its own, which it puts behind the others:
    // whole files are moved there.
    void run();

    // Looks what this machine lacks and logs it, a moment after the start, so that the first
    // requests do not wait for it. On the loop.
    Task<> examine();
    // What is lacking, one sentence each; before examine() has ended that it has not. From any
    // thread.
    std::vector<std::string> problems() const;

    // Ends an examination that waits. From any thread.
    void stop_examining();
    // Ends every conversion, whether it runs or waits. On the loop.
    Task<> stop();

private:
    using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                             asio::wait_traits<std::chrono::steady_clock>,
                                             Loop::executor_type>;
    Task<std::vector<std::string>> look();

    Loop& loop_;
    media::MemoryBudget memory_;
    media::ImageJail images_;
    media::FfmpegJail sound_;
    media::JailedConverter converter_;
    std::optional<media::Clamd> clamd_;
    ContentInspector inspector_;
    RenditionService renditions_;
    Timer delay_;
    bool stopping_ = false;
    mutable std::mutex mutex_;
    std::vector<std::string> problems_{"the jail for media has not been examined yet"};
};

}  // namespace satchel::app
