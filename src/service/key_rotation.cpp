#include "service/key_rotation.hpp"

#include "base/limits.hpp"
#include "base/log.hpp"
#include "meta/webhook_subscriptions.hpp"
#include "model/api_errors.hpp"

#include <boost/asio/as_tuple.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace satchel {
namespace {

// What the operator has to change, as the admin API answers it.
std::unexpected<Error> conflict(Error error) {
    if (error.message.empty()) return std::unexpected(std::move(error));
    error.reason = &reasons::state_conflict;
    return std::unexpected(std::move(error));
}

class Changing {
public:
    explicit Changing(bool& flag) : flag_(flag) { flag_ = true; }
    ~Changing() { flag_ = false; }
    Changing(const Changing&) = delete;
    Changing& operator=(const Changing&) = delete;

private:
    bool& flag_;
};

std::unexpected<Error> busy() {
    return fail(reasons::state_conflict, "the master key is being changed; try again in a moment");
}

struct Rewrapped {
    std::uint32_t version = 0;  // That wrapped.
    std::vector<meta::NewSlot> slots;
    std::vector<meta::SlotToRewrap> damaged;
};

// Opens and wraps again what is not under the newest version.
Rewrapped rewrap(const crypto::KeyRing& keys, const std::vector<meta::SlotToRewrap>& page) {
    const std::uint32_t newest = keys.version();
    Rewrapped out;
    out.version = newest;
    out.slots.reserve(page.size());
    for (const meta::SlotToRewrap& each : page) {
        if (!each.slot) {
            out.damaged.push_back(each);
            continue;
        }
        const auto slotted = meta::from_slot(*each.slot, each.version_of_row);
        if (slotted && slotted->version >= newest) continue;
        const auto key = slotted ? keys.unwrap(each.attachment, slotted->version, slotted->key)
                                 : Result<crypto::Key>(std::unexpected(slotted.error()));
        if (!key) {
            out.damaged.push_back(each);
            continue;
        }
        const crypto::WrappedKey wrapped = keys.wrap(each.attachment, *key);
        out.slots.push_back(
            {each.number, *each.slot, meta::to_slot(wrapped.bytes, wrapped.version)});
    }
    return out;
}

}  // namespace

KeyRotation::KeyRotation(Parts parts) : parts_(parts), pause_(parts.loop.get_executor()) {
    progress_.version = parts_.keys.version();
}

// What the source has, with a new version if it has none that is newer than ours. It is not added
// to a source that is another's.
Result<crypto::KeyRing> KeyRotation::next_ring() const {
    TRY(crypto::KeyRing found, parts_.source.read());
    const std::uint32_t now = parts_.keys.version();
    if (found.check(now) != parts_.keys.check(now)) {
        return fail(reasons::state_conflict, parts_.source.name() + " does not have version " +
                                                 std::to_string(now) +
                                                 " as it is in use: restore it from your copy");
    }
    if (found.version() > now) return found;
    if (!parts_.source.is_writable()) {
        return fail(reasons::state_conflict,
                    parts_.source.name() + " prints no version after " + std::to_string(now) +
                        ": add the line of satchel keys generate " + std::to_string(now + 1) +
                        " to what it prints, then rotate again");
    }
    CHECK(parts_.source.add({.version = now + 1, .key = crypto::Key::random()}));
    return parts_.source.read();
}

Async<std::uint32_t> KeyRotation::rotate() {
    if (is_changing_) co_return busy();
    const Changing changing(is_changing_);
    auto next = co_await run_blocking(parts_.pool, [this] { return next_ring(); });
    if (!next) co_return conflict(std::move(next).error());
    const auto ring = std::make_shared<const crypto::KeyRing>(*std::move(next));
    auto adopt = [ring, now = parts_.clock.now()](meta::Session& session) -> Result<> {
        CHECK(meta::check_master_keys(session, *ring));
        return meta::adopt_master_key(session, *ring, now);
    };
    if (auto adopted = co_await parts_.database.write(std::move(adopt)); !adopted) {
        co_return conflict(std::move(adopted).error());
    }
    parts_.keys.take(*ring);
    const std::uint32_t version = parts_.keys.version();
    {
        const std::lock_guard lock(mutex_);
        progress_.version = version;
        progress_.is_running = true;
        progress_.rewrapped = 0;
        progress_.damaged = 0;
    }
    log::info("master_key_rotated", {{"version", version}});
    woken_ = true;
    pause_.cancel();
    co_return version;
}

Async<std::vector<MasterKeyReport>> KeyRotation::list() {
    CO_TRY(const auto rows, co_await parts_.database.read(meta::master_keys));
    std::vector<MasterKeyReport> all;
    for (const meta::MasterKeyRow& row : rows) all.push_back({.row = row});
    if (!all.empty()) all.back().is_in_use = true;
    std::int64_t after = 0;
    while (true) {
        CO_TRY(const auto page, co_await parts_.database.read([after](meta::Session& session) {
            return meta::count_versions(session, after, limits::key_count_page_max);
        }));
        if (page.last_seq == 0) co_return all;
        after = page.last_seq;
        for (const auto& [version, count] : page.counts) {
            const auto report = std::ranges::find_if(all, [version](const MasterKeyReport& each) {
                return each.row.version == version;
            });
            if (report != all.end()) report->attachments += count;
        }
        co_await yield();
    }
}

Async<bool> KeyRotation::retire(std::uint32_t version) {
    if (is_changing_) co_return busy();
    const Changing changing(is_changing_);
    const std::string number = std::to_string(version);
    auto mark = [version, now = parts_.clock.now()](meta::Session& session) {
        return meta::retire_master_key(session, version, now);
    };
    CO_TRY(const meta::Retirement outcome, co_await parts_.database.write(mark));
    switch (outcome) {
        case meta::Retirement::done:
            break;
        case meta::Retirement::unknown:
            co_return fail(reasons::resource_not_found,
                           "version " + number +
                               " of the master key was never in use; satchel keys list shows them");
        case meta::Retirement::newest:
            co_return fail(
                reasons::state_conflict,
                "version " + number + " is in use; satchel keys rotate makes a newer one first");
        case meta::Retirement::still_used:
            co_return fail(reasons::state_conflict,
                           "attachments are still wrapped under version " + number +
                               "; satchel keys list shows how many, satchel fsck why");
    }
    log::info("master_key_retired", {{"version", version}});
    if (!parts_.source.is_writable()) co_return false;
    auto removed = co_await run_blocking(parts_.pool,
                                         [this, version] { return parts_.source.remove(version); });
    if (!removed) co_return conflict(std::move(removed).error());
    co_return true;
}

Task<> KeyRotation::run() {
    while (!stopping_) {
        woken_ = false;
        const auto passed = co_await pass();
        if (!passed) log::error("key_rewrap_failed", {{"detail", passed.error().detail}});
        if (stopping_ || woken_) continue;
        pause_.expires_after(!passed          ? limits::rewrap_retry_wait
                             : first_damaged_ ? std::chrono::minutes(limits::rewrap_damage_wait)
                                              : std::chrono::seconds(limits::rewrap_look_interval));
        co_await pause_.async_wait(asio::as_tuple(use_task));
    }
}

void KeyRotation::stop() {
    stopping_ = true;
    pause_.cancel();
}

RewrapProgress KeyRotation::progress() const {
    const std::lock_guard lock(mutex_);
    return progress_;
}

void KeyRotation::note(const std::optional<meta::Rewrap>& state) {
    const std::lock_guard lock(mutex_);
    progress_.is_running = state.has_value();
    progress_.remaining = state && state->last_seq > state->after_seq
                              ? static_cast<std::uint64_t>(state->last_seq - state->after_seq)
                              : 0;
}

Async<> KeyRotation::pass() {
    first_damaged_.reset();
    damaged_ = 0;
    CO_TRY(auto state, co_await parts_.database.read(meta::find_rewrap));
    note(state);
    if (!state) co_return Result<>{};
    CO_CHECK(co_await renew_webhook_secrets());
    while (!stopping_ && state) {
        const std::int64_t from = state->after_seq;
        CO_TRY(auto page, co_await parts_.database.read([from](meta::Session& session) {
            return meta::slots_after(session, from, limits::rewrap_batch_max);
        }));
        const bool is_end = page.empty();
        CO_CHECK(is_end ? co_await end_pass() : co_await rewrap_batch(from, std::move(page)));
        if (is_end && first_damaged_) co_return Result<>{};
        CO_TRY(state, co_await parts_.database.read(meta::find_rewrap));
        note(state);
        co_await yield();
    }
    co_return Result<>{};
}

Async<> KeyRotation::rewrap_batch(std::int64_t from, std::vector<meta::SlotToRewrap> page) {
    const std::int64_t to = page.back().seq;
    auto done =
        co_await run_blocking(parts_.pool, [this, page = std::move(page)]() -> Result<Rewrapped> {
            return rewrap(parts_.keys, page);
        });
    for (const meta::SlotToRewrap& each : done->damaged) {
        if (!first_damaged_) first_damaged_ = each.seq;
        ++damaged_;
        log::error("key_not_unwrapped", {{"attachment_id", each.attachment.str()}});
    }
    const std::uint64_t count = done->slots.size();
    auto store = [slots = std::move(done->slots), version = done->version, from,
                  to](meta::Session& session) {
        return meta::store_rewrapped(session, slots, version, from, to);
    };
    CO_CHECK(co_await parts_.database.write(std::move(store)));
    const std::lock_guard lock(mutex_);
    progress_.rewrapped += count;
    co_return Result<>{};
}

// Nothing was left behind the place that was reached.
Async<> KeyRotation::end_pass() {
    {
        const std::lock_guard lock(mutex_);
        progress_.damaged = damaged_;
    }
    if (first_damaged_) {
        co_return co_await parts_.database.write([seq = *first_damaged_](meta::Session& session) {
            return meta::rewrap_again_after(session, seq - 1);
        });
    }
    CO_TRY(const bool finished,
           co_await parts_.database.write([now = parts_.clock.now()](meta::Session& session) {
               return meta::finish_rewrap(session, now);
           }));
    if (finished) log::info("key_rewrap_done", {{"version", parts_.keys.version()}});
    co_return Result<>{};
}

// Those of databases of before, which hang from the master key itself.
Async<> KeyRotation::renew_webhook_secrets() {
    std::int64_t after = 0;
    while (true) {
        CO_TRY(const auto page, co_await parts_.database.read([after](meta::Session& session) {
            return meta::sealed_secrets_after(session, after, limits::rewrap_batch_max);
        }));
        if (page.empty()) co_return Result<>{};
        after = page.back().seq;
        for (const meta::SealedSecret& each : page) {
            auto renewed = parts_.webhook_secrets.renewed(each.subscription, each.sealed);
            if (!renewed) continue;
            auto store = [id = each.subscription,
                          sealed = *std::move(renewed)](meta::Session& session) {
                return meta::store_sealed_secret(session, id, sealed);
            };
            CO_CHECK(co_await parts_.database.write(std::move(store)));
        }
    }
}

}  // namespace satchel
