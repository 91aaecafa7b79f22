#include "app/media_work.hpp"

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/scheduling.hpp"

#include <boost/asio/as_tuple.hpp>

#include <utility>

namespace satchel::app {
namespace {

namespace fs = std::filesystem;

constexpr const char* program_name = "satchel-media";

std::optional<media::Clamd> clamd_of(const Config& config) {
    const auto& clamd = config.media.clamd;
    if (!clamd) return std::nullopt;
    return media::Clamd({clamd->path, clamd->address.address, clamd->address.port});
}

}  // namespace

fs::path media_program(const Config& config) {
    if (!config.media.program.empty()) return config.media.program;
    std::error_code error;
    const fs::path self = fs::read_symlink("/proc/self/exe", error);
    return error ? fs::path(program_name) : self.parent_path() / program_name;
}

MediaWork::MediaWork(const Config& config, const Parts& parts)
    : loop_(parts.loop),
      memory_(limits::media_memory_bytes_max),
      images_(parts.loop, memory_, {.program = media_program(config).string()}),
      sound_(memory_),
      converter_(images_, sound_),
      clamd_(clamd_of(config)),
      inspector_({parts.blobs, clamd_ ? &*clamd_ : nullptr, config.media.without_clamd}),
      renditions_({parts.loop, parts.database, parts.blobs, parts.keys, parts.clock, converter_}),
      delay_(parts.loop.get_executor()) {}

void MediaWork::run() {
    lower_priority(limits::media_loop_niceness);
    loop_.run();
}

Task<> MediaWork::examine() {
    delay_.expires_after(limits::media_examine_delay);
    co_await delay_.async_wait(asio::as_tuple(use_task));
    if (stopping_) co_return;
    std::vector<std::string> found = co_await look();
    if (stopping_) co_return;
    for (const std::string& problem : found) log::warn("media_problem", {{"detail", problem}});
    const std::lock_guard lock(mutex_);
    problems_ = std::move(found);
}

Task<std::vector<std::string>> MediaWork::look() {
    std::vector<std::string> found;
    const auto pictures = co_await images_.start();
    if (!pictures) {
        found.push_back("pictures are not converted: " + pictures.error().detail);
    } else if (!pictures->is_complete()) {
        found.push_back((pictures->is_usable() ? "the jail for pictures lacks: "
                                               : "pictures are not converted, the jail lacks: ") +
                        pictures->missing());
    }
    auto sound = co_await sound_.examine();
    for (std::string& problem : sound.problems) found.push_back(std::move(problem));
    if (!clamd_) co_return found;
    const auto answered = co_await clamd_->ping();
    if (!answered) found.push_back("files cannot be scanned: " + answered.error().detail);
    co_return found;
}

std::vector<std::string> MediaWork::problems() const {
    const std::lock_guard lock(mutex_);
    return problems_;
}

void MediaWork::stop_examining() {
    asio::post(loop_, [this] {
        stopping_ = true;
        delay_.cancel();
    });
}

Task<> MediaWork::stop() {
    memory_.stop();
    sound_.stop();
    co_await images_.stop();
}

}  // namespace satchel::app
