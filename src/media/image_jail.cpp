#include "media/image_jail.hpp"

#include "base/log.hpp"
#include "media/memory_file.hpp"
#include "media/output_check.hpp"
#include "media/zygote_process.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <boost/asio/as_tuple.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace satchel::media {
namespace {

using Steady = std::chrono::steady_clock;

struct SourceRow {
    std::string_view type;
    jail::Source source;
    bool is_stripped;
    bool is_delivered;  // As a JPEG.
};
constexpr auto sources = std::to_array<SourceRow>({
    {"image/jpeg", jail::Source::jpeg, true, true},
    {"image/png", jail::Source::png, true, true},
    {"image/tiff", jail::Source::tiff, true, true},
    {"image/heic", jail::Source::heif, true, true},
    {"image/heif", jail::Source::heif, true, true},
    {"image/gif", jail::Source::gif, false, true},
    {"image/webp", jail::Source::webp, false, true},
    {"application/pdf", jail::Source::pdf, false, false},
});

struct Plan {
    jail::Task task;
    jail::Source source;
    std::string_view content_type;  // Static storage.
};

std::optional<Plan> plan_for(Form form, std::string_view type) {
    const auto row = std::ranges::find(sources, type, &SourceRow::type);
    if (row == sources.end()) return std::nullopt;
    if (form == Form::preview) return Plan{jail::Task::preview, row->source, "image/jpeg"};
    if (form == Form::jpeg && row->is_delivered) {
        return Plan{jail::Task::jpeg, row->source, "image/jpeg"};
    }
    if (form == Form::stripped && row->is_stripped) {
        return Plan{jail::Task::strip, row->source, row->type};
    }
    return std::nullopt;
}

JailReport report_of(const jail::Hello& hello) {
    const auto has = [&hello](jail::Wall wall) { return (hello.walls & wall) != 0; };
    return {.network_namespace = has(jail::network_namespace),
            .landlock_abi = has(jail::landlock) ? hello.landlock_abi : 0,
            .seccomp = has(jail::seccomp),
            .resource_limits = has(jail::resource_limits),
            .no_privileges = has(jail::no_privileges)};
}

struct Pipe {
    Descriptor reading;
    Descriptor writing;
};

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
        return fail(Errc::unavailable, std::string("pipe2: ") + std::strerror(errno));
    }
    return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

// The child's own words, for the log: printable and short.
std::string quoted(const jail::Answer& answer) {
    std::string text;
    for (const char c : answer.detail) {
        if (c == '\0') break;
        text += c >= ' ' && c <= '~' ? c : ' ';
    }
    return text;
}

Result<jail::Answer> read_answer(const Descriptor& pipe, std::uint64_t job) {
    jail::Answer answer;
    const ssize_t got = ::read(pipe.number(), &answer, sizeof answer);
    if (got != sizeof answer || answer.version != jail::protocol_version || answer.job != job) {
        return fail(Errc::corrupt, "the media child ended without an answer");
    }
    switch (answer.verdict) {
        case jail::Verdict::done:
        case jail::Verdict::need_memory:
            return answer;
        case jail::Verdict::too_large:
            return fail(Errc::too_large, quoted(answer));
        case jail::Verdict::cannot_decode:
            return fail(Errc::corrupt, "cannot be decoded: " + quoted(answer));
    }
    return fail(Errc::corrupt, "the media child gave no known answer");
}

Result<> check_order(const Order& order) {
    if (!is_sealed(order.input)) {
        return fail(Errc::invalid_argument, "the input is not a sealed memory file");
    }
    const bool has_width = order.width >= 1 && order.width <= limits::preview_width_pixels_max;
    if (order.form == Form::preview && !has_width) {
        return fail(Errc::invalid_argument, "a preview of no possible width");
    }
    return {};
}

}  // namespace

std::string JailReport::missing() const {
    std::string list;
    const auto add = [&list](bool is_there, std::string_view name) {
        if (is_there) return;
        if (!list.empty()) list += ", ";
        list += name;
    };
    add(network_namespace, "network namespace");
    add(landlock_abi > 0, "Landlock");
    add(seccomp, "seccomp");
    add(resource_limits, "resource limits");
    add(no_privileges, "dropping of privileges");
    return list;
}

// One child from its order to its end. Left early, the child is killed.
struct ImageJail::Job {
    Job(ImageJail& owner, std::shared_ptr<ZygoteProcess> process)
        : jail(owner),
          zygote(std::move(process)),
          number(++owner.last_job_),
          end(owner.loop_.get_executor()) {
        jail.jobs_[number] = this;
    }
    ~Job() {
        jail.jobs_.erase(number);
        if (!ended && !is_lost) zygote->send_now({.kind = jail::Kind::cancel, .job = number});
    }
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;

    ImageJail& jail;
    std::shared_ptr<ZygoteProcess> zygote;
    std::uint64_t number;
    Timer end;  // Cancelled when one of these is set.
    std::optional<jail::Ended> ended;
    bool is_lost = false;
};

struct ImageJail::Finished {
    jail::Answer answer;
    Descriptor output;
};

ImageJail::ImageJail(Loop& loop, MemoryBudget& budget, ImageJailOptions options)
    : loop_(loop),
      budget_(budget),
      options_(std::move(options)),
      started_(loop.get_executor()),
      listeners_(loop) {}

ImageJail::~ImageJail() = default;

bool ImageJail::takes(Form form, std::string_view source_type) {
    return plan_for(form, source_type).has_value();
}

Async<JailReport> ImageJail::start() {
    CO_CHECK(co_await ensure_running());
    co_return report_;
}

Async<> ImageJail::ensure_running() {
    if (!zygote_ && !starting_) CO_CHECK(begin_start());
    while (starting_) {
        co_await started_.async_wait(asio::as_tuple(use_task));
        if (!starting_ || Steady::now() < started_.expiry()) continue;
        starting_->kill();
        co_return fail(Errc::unavailable, "satchel-media does not say hello");
    }
    if (!zygote_) co_return fail(Errc::unavailable, "satchel-media did not start");
    co_return Result<>{};
}

Result<> ImageJail::begin_start() {
    if (stopping_) return fail(Errc::unavailable, "the server stops");
    if (Steady::now() < next_start_) {
        return fail(Errc::unavailable, "satchel-media will be started again in a while");
    }
    Result<ZygoteProcess> begun = ZygoteProcess::start(loop_.get_executor(), options_.program);
    if (!begun) {
        lost(nullptr, begun.error());
        return std::unexpected(std::move(begun).error());
    }
    starting_ = std::make_shared<ZygoteProcess>(*std::move(begun));
    started_.expires_after(limits::media_start_max);
    listeners_.spawn("media zygote", listen(starting_));
    return {};
}

Task<> ImageJail::listen(std::shared_ptr<ZygoteProcess> zygote) {
    while (true) {
        const Result<ZygoteProcess::Message> message = co_await zygote->receive();
        if (!message) {
            lost(zygote, message.error());
            co_return;
        }
        if (message->kind == jail::Kind::hello) {
            report_ = report_of(message->hello);
            zygote_ = zygote;
            starting_.reset();
            started_.cancel();
            continue;
        }
        failures_ = 0;
        const auto job = jobs_.find(message->ended.job);
        if (job == jobs_.end()) continue;  // It was cancelled.
        job->second->ended = message->ended;
        job->second->end.cancel();
    }
}

void ImageJail::lost(const std::shared_ptr<ZygoteProcess>& zygote, const Error& why) {
    if (!stopping_) log::warn("media_zygote_lost", {{"detail", why.detail}});
    next_start_ = Steady::now();
    if (failures_ > 0) {
        const auto wait = limits::media_restart_first * (1U << std::min(failures_ - 1, 16U));
        next_start_ += std::min<std::chrono::milliseconds>(wait, limits::media_restart_max);
    }
    ++failures_;
    if (zygote_ == zygote) zygote_.reset();
    if (starting_ == zygote) starting_.reset();
    started_.cancel();
    for (const auto& [number, job] : jobs_) {
        if (job->zygote != zygote) continue;
        job->is_lost = true;
        job->end.cancel();
    }
}

Async<> ImageJail::await_end(Job& job) {
    job.end.expires_after(options_.job_wall + limits::media_answer_slack);
    const auto deadline = job.end.expiry();
    co_await job.end.async_wait(asio::as_tuple(use_task));
    if (job.ended) co_return check_end(*job.ended);
    if (job.is_lost) co_return fail(Errc::unavailable, "satchel-media ended during the job");
    if (Steady::now() < deadline) co_return fail(Errc::unavailable, "the job was cancelled");
    job.zygote->kill();
    co_return fail(Errc::timed_out, "satchel-media does not answer");
}

Result<> ImageJail::check_end(const jail::Ended& ended) const {
    const std::string number = std::to_string(ended.number);
    const auto cpu = std::chrono::microseconds(ended.cpu_microseconds);
    switch (ended.how) {
        case jail::How::exited:
            if (ended.number == 0) return {};
            if (ended.number == jail::status_without_walls) {
                return fail(Errc::unavailable, "the jail could not be closed");
            }
            return fail(Errc::corrupt, "the media child exited with " + number);
        case jail::How::out_of_cpu:
            return fail(Errc::timed_out, "the media child used up its CPU time");
        case jail::How::out_of_time:
            return fail(Errc::timed_out, "the media child used up its time");
        case jail::How::not_started:
            return fail(Errc::unavailable, "fork: error " + number);
        case jail::How::killed:
            break;
    }
    if (cpu >= options_.job_cpu) return fail(Errc::timed_out, "the media child used up its CPU");
    return fail(Errc::corrupt, "the media child was ended by signal " + number);
}

Async<ImageJail::Finished> ImageJail::run_job(jail::JobMessage message, const Descriptor& input) {
    CO_CHECK(co_await ensure_running());
    if (!report_.is_usable()) {
        co_return fail(Errc::unavailable, "no jail on this system: " + report_.missing());
    }
    CO_TRY(Descriptor output, make_memory_file("satchel-output"));
    CO_TRY(Pipe answers, make_pipe());
    Job job(*this, zygote_);
    message.job = job.number;
    const std::array<int, jail::job_descriptors> passed{input.number(), output.number(),
                                                        answers.writing.number()};
    CO_CHECK(co_await job.zygote->send(message, passed));
    CO_CHECK(co_await await_end(job));
    CO_TRY(const jail::Answer answer, read_answer(answers.reading, job.number));
    co_return Finished{answer, std::move(output)};
}

Async<Product> ImageJail::convert(Order order) {
    const std::optional<Plan> plan = plan_for(order.form, order.source_type);
    if (!plan) co_return fail(Errc::invalid_argument, "no such form of " + order.source_type);
    CO_CHECK(check_order(order));
    jail::JobMessage message;
    message.task = plan->task;
    message.source = plan->source;
    message.width = order.width;
    message.cpu_seconds = static_cast<std::uint32_t>(options_.job_cpu.count());
    message.wall_milliseconds = static_cast<std::uint64_t>(options_.job_wall.count());
    message.memory_bytes =
        std::min(limits::media_job_memory_bytes_first, options_.job_memory_bytes);
    message.memory_bytes_limit = options_.job_memory_bytes;
    message.output_bytes = options_.output_bytes_max;
    const auto until = MemoryBudget::patience();
    CO_TRY(auto memory, co_await budget_.reserve(message.memory_bytes, until));
    CO_TRY(Finished finished, co_await run_job(message, order.input));
    if (finished.answer.verdict == jail::Verdict::need_memory) {
        const std::uint64_t more = std::clamp(finished.answer.memory_bytes, message.memory_bytes,
                                              options_.job_memory_bytes);
        message.memory_bytes = more;
        memory = {};
        CO_TRY(memory, co_await budget_.reserve(more, until));
        CO_TRY(finished, co_await run_job(message, order.input));
    }
    if (finished.answer.verdict != jail::Verdict::done) {
        co_return fail(Errc::corrupt, "the media child asks for memory twice");
    }
    const std::uint64_t size = finished.answer.size_bytes;
    CO_TRY(const Dimensions pixels,
           check_output(finished.output, plan->content_type, size, options_.output_bytes_max));
    co_return Product{.bytes = std::move(finished.output),
                      .content_type = std::string(plan->content_type),
                      .size_bytes = size,
                      .duration = std::nullopt,
                      .width = pixels.width,
                      .height = pixels.height};
}

Task<> ImageJail::stop() {
    stopping_ = true;
    if (zygote_) zygote_->kill();
    co_await listeners_.stop(std::chrono::seconds(0));
    zygote_.reset();
}

}  // namespace satchel::media
