#include "service/scrubber.hpp"

#include "base/limits.hpp"
#include "base/log.hpp"
#include "service/backup_manifest.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

namespace satchel {
namespace {

namespace json = boost::json;
using Steady = std::chrono::steady_clock;

// After time that nobody used it is not made up for at once.
constexpr auto burst_max = std::chrono::milliseconds(100);
// What a row costs beside its bytes: many have none.
constexpr std::size_t row_bytes = 4096;

}  // namespace

Scrubber::Scrubber(Parts parts) : parts_(std::move(parts)), timer_(parts_.loop.get_executor()) {
    load();
}

Task<> Scrubber::run() {
    if (parts_.bytes_per_second == 0) co_return;
    // A start is no time for it.
    co_await wait(std::min<Steady::duration>(parts_.interval, limits::scrub_retry_wait));
    while (!stopping_) {
        if (!is_due()) {
            co_await wait(std::min<Steady::duration>(parts_.interval, limits::sweep_interval));
            continue;
        }
        const auto passed = co_await pass();
        if (passed || stopping_) continue;
        log::error("scrub_interrupted", {{"detail", passed.error().detail}});
        co_await wait(limits::scrub_retry_wait);
    }
}

void Scrubber::stop() {
    stopping_ = true;
    timer_.cancel();
}

Scrubber::Totals Scrubber::totals() const {
    return {bytes_, attachments_, errors_, static_cast<double>(passed_at_micros_) / 1e6};
}

Task<> Scrubber::wait(Steady::duration time) {
    if (stopping_) co_return;
    timer_.expires_after(time);
    co_await timer_.async_wait(asio::as_tuple(use_task));
}

bool Scrubber::is_due() const {
    return after_ != AttachmentId{} || passed_at_ == Time{} ||
           parts_.clock.now() >= passed_at_ + parts_.interval;
}

// What stands behind the last in order of ids, until nothing does. Attachments that come meanwhile
// are seen in this pass or the next.
Async<> Scrubber::pass() {
    while (true) {
        CO_TRY(const auto page, co_await parts_.database.read([this](meta::Session& session) {
            return meta::attachments_after(session, after_, limits::scrub_page_max);
        }));
        if (page.empty()) break;
        for (const meta::AttachmentRow& row : page) CO_CHECK(co_await look_at(row));
        co_await yield();
    }
    const bool has_looked = std::exchange(after_, {}) != AttachmentId{};
    passed_at_ = parts_.clock.now();
    passed_at_micros_ = to_micros(passed_at_);
    if (!has_looked) co_return Result<>{};  // Nothing is stored.
    log::info("scrub_passed", {{"attachments", attachments_.load()}, {"errors", errors_.load()}});
    co_return co_await save();
}

Async<> Scrubber::look_at(const meta::AttachmentRow& row) {
    StoredCheck check(parts_.database, parts_.blobs, parts_.keys, this);
    CO_TRY(const auto problem, co_await check.check(row));
    CO_CHECK(co_await after(0));
    ++attachments_;
    if (problem) {
        ++errors_;
        log::error("scrub_found", {{"attachment_id", row.id.str()},
                                   {"kind", problem->kind},
                                   {"detail", problem->detail}});
    }
    after_ = row.id;
    if (Steady::now() < next_save_) co_return Result<>{};
    next_save_ = Steady::now() + limits::scrub_save_interval;
    co_return co_await save();
}

Async<> Scrubber::after(std::size_t bytes) {
    bytes_ += bytes;
    if (bytes == 0) bytes = row_bytes;
    const auto cost = std::chrono::duration_cast<Steady::duration>(std::chrono::duration<double>(
        static_cast<double>(bytes) / static_cast<double>(parts_.bytes_per_second)));
    const auto now = Steady::now();
    next_read_ = std::max(next_read_, now - burst_max) + cost;
    if (next_read_ > now) {
        co_await wait(next_read_ - now);
    } else {
        co_await yield();
    }
    if (stopping_) co_return fail(Errc::unavailable, "the server stops");
    co_return Result<>{};
}

// What cannot be read is as good as nothing: the pass begins anew.
void Scrubber::load() {
    std::ifstream in(parts_.state_file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    boost::system::error_code error;
    const json::value value = json::parse(text, error);
    const auto* const object = error ? nullptr : value.if_object();
    if (object == nullptr) return;
    const auto* const after = object->if_contains("after");
    const auto* const passed = object->if_contains("passed_at_micros");
    if (after != nullptr && after->is_string()) {
        after_ = AttachmentId::parse(after->get_string()).value_or(AttachmentId{});
    }
    if (passed == nullptr || !passed->is_int64()) return;
    // A clock that was put back must not put the next pass off for as long.
    passed_at_ = std::min(from_micros(passed->get_int64()), parts_.clock.now());
    passed_at_micros_ = to_micros(passed_at_);
}

Async<> Scrubber::save() {
    const std::string text = json::serialize(
        json::object{{"after", after_.str()}, {"passed_at_micros", to_micros(passed_at_)}});
    co_return co_await run_blocking(
        parts_.pool, [this, text] { return write_durable_file(parts_.state_file, text + "\n"); });
}

}  // namespace satchel
