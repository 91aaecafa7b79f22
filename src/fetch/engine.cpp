#include "fetch/engine.hpp"

#include "base/limits.hpp"

#include <pthread.h>

#include <csignal>
#include <new>

namespace satchel::fetch {
namespace {

constexpr std::size_t idle_handles_max = 64;
constexpr auto poll_max = std::chrono::minutes(10);
// How late a transfer in which nothing moves may be noticed.
constexpr auto poll_max_while_running = std::chrono::milliseconds(250);
// How late a transfer that still waits may learn that its time is over.
constexpr auto poll_max_while_waiting = std::chrono::milliseconds(50);

Multi make_multi() {
    Multi multi(libcurl().multi_init());
    if (!multi) throw std::bad_alloc();
    libcurl().multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS,
                           static_cast<long>(limits::outbound_connections_kept_max));
    return multi;
}

std::unexpected<Error> cancelled() {
    return fail(Errc::unavailable, "the request was cancelled");
}

Outcome busy() {
    Outcome outcome;
    outcome.failure = Failure::busy;
    outcome.detail = "too many requests of this partner are running";
    return outcome;
}

// Signals belong to other threads, and SIGPIPE, which OpenSSL's writes may raise, to none.
std::thread start_without_signals(std::move_only_function<void()> work) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread thread(std::move(work));
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return thread;
}

}  // namespace

bool Inbox::submit(SharedTransfer transfer) {
    const std::lock_guard lock(mutex_);
    if (batch_.closed) return false;
    batch_.submitted.push_back(std::move(transfer));
    libcurl().multi_wakeup(multi_);
    return true;
}

void Inbox::cancel(const std::weak_ptr<Transfer>& transfer) {
    SharedTransfer held = transfer.lock();
    if (!held) return;
    const std::lock_guard lock(mutex_);
    if (batch_.closed) return;
    batch_.cancelled.push_back(std::move(held));
    libcurl().multi_wakeup(multi_);
}

void Inbox::close() {
    const std::lock_guard lock(mutex_);
    batch_.closed = true;
    libcurl().multi_wakeup(multi_);
}

Inbox::Batch Inbox::take() {
    const std::lock_guard lock(mutex_);
    Batch taken = std::move(batch_);
    batch_ = {};
    batch_.closed = taken.closed;
    return taken;
}

Engine::Engine(const Policy& policy)
    : multi_(make_multi()),
      inbox_(std::make_shared<Inbox>(multi_.get())),
      gets_({.running_max = limits::gets_parallel_max,
             .running_per_key_max = policy.parallel_per_partner_max,
             .waiting_per_key_max = limits::gets_waiting_per_partner_max}),
      posts_({.running_max = limits::posts_parallel_max,
              .running_per_key_max = limits::posts_parallel_per_partner_max,
              .waiting_per_key_max = limits::posts_waiting_per_partner_max}),
      thread_(start_without_signals([this] { run(); })) {}

Engine::~Engine() {
    inbox_->close();
    thread_.join();
}

void Engine::run() {
    for (;;) {
        Inbox::Batch batch = inbox_->take();
        for (SharedTransfer& transfer : batch.submitted) accept(std::move(transfer));
        for (const SharedTransfer& transfer : batch.cancelled) cancel(transfer);
        if (batch.closed) return cancel_all();
        int active = 0;
        ASSERT(libcurl().multi_perform(multi_.get(), &active) == CURLM_OK);
        reap();
        expire(std::chrono::steady_clock::now());
        for (Queue* queue : {&gets_, &posts_}) start_waiting(*queue);
        libcurl().multi_poll(multi_.get(), nullptr, 0, static_cast<int>(patience().count()),
                             nullptr);
    }
}

std::chrono::milliseconds Engine::patience() const {
    if (gets_.anyone_waits() || posts_.anyone_waits()) return poll_max_while_waiting;
    return running_.empty() ? poll_max : poll_max_while_running;
}

Engine::Queue& Engine::queue_of(const Transfer& transfer) {
    return transfer.job().verb == Verb::get ? gets_ : posts_;
}

void Engine::accept(SharedTransfer transfer) {
    Queue& queue = queue_of(*transfer);
    if (!queue.push(transfer->job().partner, transfer)) {
        transfer->finish(busy());
        return;
    }
    start_waiting(queue);
}

void Engine::start_waiting(Queue& queue) {
    while (auto transfer = queue.pop()) start(*std::move(transfer));
}

void Engine::start(SharedTransfer transfer) {
    Easy easy;
    if (idle_.empty()) {
        easy.reset(libcurl().easy_init());
        if (!easy) throw std::bad_alloc();
    } else {
        easy = std::move(idle_.back());
        idle_.pop_back();
    }
    transfer->begin(std::move(easy));
    CURL* const handle = transfer->easy();
    running_.emplace(handle, std::move(transfer));
    ASSERT(libcurl().multi_add_handle(multi_.get(), handle) == CURLM_OK);
}

void Engine::reap() {
    int left = 0;
    while (const CURLMsg* const message = libcurl().multi_info_read(multi_.get(), &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        CURL* const handle = message->easy_handle;
        const CURLcode code = message->data.result;  // `message` dies with the next call.
        const auto found = running_.find(handle);
        ASSERT(found != running_.end());
        const SharedTransfer transfer = found->second;
        libcurl().multi_remove_handle(multi_.get(), handle);
        if (transfer->go_on(code)) {
            ASSERT(libcurl().multi_add_handle(multi_.get(), handle) == CURLM_OK);
            continue;
        }
        running_.erase(found);
        queue_of(*transfer).done(transfer->job().partner);
        Easy easy = transfer->finish();
        if (idle_.size() < idle_handles_max) idle_.push_back(std::move(easy));
    }
}

// Walks all that waits, so not in every round.
void Engine::expire(std::chrono::steady_clock::time_point now) {
    if (now < expire_at_) return;
    expire_at_ = now + poll_max_while_waiting;
    for (Queue* queue : {&gets_, &posts_}) {
        if (!queue->anyone_waits()) continue;
        const auto late =
            queue->take_waiting([now](const auto& item) { return item->job().deadline <= now; });
        for (const SharedTransfer& transfer : late) transfer->finish(busy());
    }
}

void Engine::cancel(const SharedTransfer& transfer) {
    CURL* const handle = transfer->easy();
    if (handle == nullptr) {
        Queue& queue = queue_of(*transfer);
        const auto waiting = queue.take_waiting([&](const auto& item) { return item == transfer; });
        if (!waiting.empty()) transfer->finish(cancelled());
        return;
    }
    libcurl().multi_remove_handle(multi_.get(), handle);
    running_.erase(handle);
    queue_of(*transfer).done(transfer->job().partner);
    transfer->finish(cancelled());
}

void Engine::cancel_all() {
    for (Queue* queue : {&gets_, &posts_}) {
        for (const SharedTransfer& transfer : queue->take_waiting([](auto&) { return true; })) {
            transfer->finish(cancelled());
        }
    }
    for (const auto& [handle, transfer] : running_) {
        libcurl().multi_remove_handle(multi_.get(), handle);
        transfer->finish(cancelled());
    }
    running_.clear();
    idle_.clear();
}

}  // namespace satchel::fetch
