#include "app/server.hpp"

#include "admin/admin.hpp"
#include "api/api.hpp"
#include "app/late_handler.hpp"
#include "app/media_work.hpp"
#include "app/messaging.hpp"
#include "app/run_to_end.hpp"
#include "app/server_settings.hpp"
#include "app/sweeper.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "blob/file_store.hpp"
#include "crypto/key_ring.hpp"
#include "fetch/fetch.hpp"
#include "http/server.hpp"
#include "meta/sqlite.hpp"
#include "service/attachment_service.hpp"
#include "service/deletion_service.hpp"
#include "service/message_expiry.hpp"
#include "service/partner_service.hpp"
#include "service/urls.hpp"
#include "service/webhook_service.hpp"
#include "webhook/deliverer.hpp"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <mutex>
#include <thread>

namespace satchel::app {
namespace {

namespace fs = std::filesystem;
using SignalSet = asio::basic_signal_set<Loop::executor_type>;

constexpr std::size_t token_random_bytes = 32;

std::string random_token() {
    std::array<std::byte, token_random_bytes> bytes{};
    fill_random(bytes);
    return to_base64url(bytes);
}

// A key is made only for a store that has nothing to decrypt yet.
Result<crypto::KeyRing> open_keys(const Config& config) {
    const fs::path& file = config.encryption.master_key_file;
    auto keys = crypto::KeyRing::open(file);
    if (keys || keys.error().code != Errc::not_found) return keys;
    std::error_code error;
    if (fs::exists(config.metadata.sqlite, error) || error) {
        Error lost;
        lost.code = Errc::not_found;
        lost.message = "the master key " + file.string() + " is missing, but " +
                       config.metadata.sqlite.string() +
                       " exists and cannot be read without it; restore the key from a backup";
        return std::unexpected(std::move(lost));
    }
    if (!file.parent_path().empty()) fs::create_directories(file.parent_path(), error);
    CHECK(crypto::KeyRing::create(file));
    return crypto::KeyRing::open(file);
}

crypto::sigv4::Credentials upload_credentials(const crypto::KeyRing& keys) {
    return {"satchel", to_base64url(keys.secret("upload-url-v1").bytes), "local"};
}

}  // namespace

// Members are destroyed in reverse: the loops last, because what is above them holds timers and
// sockets on them and the database's writer may still post to them.
struct Server::State {
    State(ServerOptions o, FolderLock l, crypto::KeyRing k)
        : options(std::move(o)),
          lock(std::move(l)),
          keys(std::move(k)),
          pool(limits::blocking_threads),
          presigner(upload_credentials(keys)),
          webhook_secrets(keys) {
        for (unsigned i = 0; i < thread_count(options.config); ++i) {
            loops.push_back(std::make_unique<Loop>(1));
        }
    }

    ServerOptions options;
    FolderLock lock;
    crypto::KeyRing keys;
    std::vector<std::unique_ptr<Loop>> loops;
    BlockingPool pool;
    Clock clock;
    std::unique_ptr<blob::Disk> disk = blob::make_posix_disk();
    std::unique_ptr<blob::Store> blobs;
    std::unique_ptr<meta::Database> database;
    crypto::sigv4::Presigner presigner;
    webhook::SecretBox webhook_secrets;
    std::unique_ptr<fetch::Fetcher> fetcher;
    std::optional<MediaWork> media;
    std::unique_ptr<fetch::Fetcher> bridge_fetcher;  // Only if the gateway is http.
    std::optional<AttachmentService> attachments;
    std::optional<DeletionService> deletions;
    std::optional<MessageExpiry> message_expiry;
    std::optional<PartnerService> partners;
    std::optional<WebhookService> webhooks;
    std::optional<UrlMaker> urls;
    admin::Metrics metrics;
    std::optional<Sweeper> sweeper;
    std::optional<webhook::Deliverer> deliverer;
    std::optional<Messaging> messaging;
    LateHandler public_handler;
    LateHandler admin_handler;
    std::unique_ptr<http::Server> public_server;
    std::unique_ptr<http::Server> admin_server;
    RunningServer running;

    // On the first loop.
    std::optional<SignalSet> signals;
    std::optional<LoopTimer> servers_stopped;
    std::size_t servers_running = 0;
    std::optional<TaskGroup> background;
    std::optional<TaskGroup> supervision;

    Loop& first_loop() { return *loops.front(); }
    fs::path data_folder() const { return options.config.data_folder(); }

    Result<> open_stores();
    Result<> ensure_demo();
    Result<> open_listeners();
    std::vector<Chore> chores();
    void make_handlers();
    void add_values();

    std::mutex readiness_mutex;
    std::chrono::steady_clock::time_point readiness_expires_at{};
    std::string failing_part = "starting";  // Until the first check has an answer.

    Task<std::string> ready();
    Task<std::string> check_parts();
    Task<Result<>> advance_clock(std::chrono::seconds by);
    Task<> supervise();
    Task<> insist();
    void one_server_stopped();
};

Result<> Server::State::open_stores() {
    const Config& config = options.config;
    TRY(database, meta::open_sqlite({.file = config.metadata.sqlite, .keys = &keys}));
    std::error_code ignored;
    if (config.blobs.local.has_parent_path()) {
        fs::create_directories(config.blobs.local.parent_path(), ignored);
    }
    auto opened = blob::FileStore::open(config.blobs.local, pool, *disk);
    if (!opened) {
        Error error = std::move(opened).error();
        if (error.message.empty()) {
            error.message = "cannot use the blob folder " + config.blobs.local.string() +
                            "; check the path, its permissions and the space on the disk";
        }
        return std::unexpected(std::move(error));
    }
    blobs = *std::move(opened);
    const ContentTypePolicy policy{config.media.accept_webp_and_svg,
                                   config.media.accept_former_types};
    media.emplace(config, MediaWork::Parts{first_loop(), *database, *blobs, keys, clock});
    attachments.emplace(AttachmentService::Parts{
        *database, *blobs, keys, clock, policy, media->inspector(),
        config.media.previews ? &media->renditions() : nullptr, config.server.creates_per_minute});
    partners.emplace(*database, clock);
    deletions.emplace(DeletionService::Parts{*database, *blobs, clock});
    message_expiry.emplace(MessageExpiry::Parts{*database, clock});
    sweeper.emplace(first_loop(), chores());
    TRY(fetcher, fetch::Fetcher::open(fetch_policy(config)));
    if (config.gateway.kind == Config::GatewayKind::http) {
        TRY(bridge_fetcher, fetch::Fetcher::open(bridge_policy(config)));
    }
    webhooks.emplace(WebhookService::Parts{*database, *fetcher, webhook_secrets, clock});
    deliverer.emplace(
        webhook::Deliverer::Parts{first_loop(), *database, *fetcher, webhook_secrets, clock});
    CHECK(run_to_end(first_loop(), attachments->recover()));
    return run_to_end(first_loop(), deletions->recover());
}

std::vector<Chore> Server::State::chores() {
    return {{"doubtful uploads", [this] { return attachments->settle_doubtful(); }},
            {"expired messages", [this] { return message_expiry->sweep_messages(); }},
            {"expired events", [this] { return message_expiry->sweep_events(); }},
            {"due attachments", [this] { return deletions->sweep_rows(); }},
            {"removed blobs", [this] { return deletions->sweep_blobs(); }}};
}

Result<> Server::State::ensure_demo() {
    const auto& demo = options.demo;
    if (!demo) return {};
    running.demo_api_key = "sat_" + to_base64url(keys.secret("demo-api-key-v1").bytes);
    TRY(const Partner partner,
        run_to_end(first_loop(), partners->ensure_partner(demo->name, running.demo_api_key)));
    running.demo_partner = partner.id;
    TRY(const auto lines, run_to_end(first_loop(), partners->lines()));
    for (const auto& number : demo->lines) {
        const bool is_taken = std::ranges::find(lines, number, &Line::number) != lines.end();
        if (is_taken) continue;
        CHECK(run_to_end(first_loop(), partners->add_line(partner.id, number)));
    }
    return {};
}

Result<> Server::State::open_listeners() {
    const Config& config = options.config;
    std::vector<Loop*> all;
    for (const auto& loop : loops) all.push_back(loop.get());

    http::ServerOptions open_to_all;
    open_to_all.address = config.server.listen.address;
    open_to_all.port = config.server.listen.port;
    open_to_all.connections_max = config.server.connections_max;
    if (config.has_tls()) {
        open_to_all.tls = http::TlsFiles{config.server.tls_cert, config.server.tls_key};
    }
    TRY(public_server, http::Server::open(std::move(all), open_to_all, public_handler));

    http::ServerOptions for_operator;
    for_operator.address = config.admin.listen.address;
    for_operator.port = config.admin.listen.port;
    TRY(admin_server, http::Server::open({&first_loop()}, for_operator, admin_handler));

    const PublicUrls bases = public_urls(config, public_server->port());
    running.api_url = bases.api;
    running.admin.url =
        "http://" + Endpoint{config.admin.listen.address, admin_server->port()}.text();
    running.admin.token = config.admin.token.empty() ? random_token() : config.admin.token;
    urls.emplace(bases, presigner);
    const ContentTypePolicy policy{config.media.accept_webp_and_svg,
                                   config.media.accept_former_types};
    messaging.emplace(
        config, first_loop(),
        MediaService::Parts{*database, *blobs, keys, clock, *urls, policy, media->inspector(),
                            fetcher.get(), &media->renditions(), config.media.delivery},
        bridge_fetcher.get());
    return {};
}

void Server::State::make_handlers() {
    const auto is_ready = [this] { return ready(); };
    const auto observe = [this](std::string_view route, const http::Handler::Outcome& outcome) {
        metrics.observe(route, outcome);
    };
    public_handler.set(
        api::make_handler({.attachments = *attachments,
                           .deletions = *deletions,
                           .partners = *partners,
                           .messages = messaging->messages,
                           .chats = messaging->chats,
                           .message_changes = messaging->message_changes,
                           .lines = messaging->lines,
                           .recipients = messaging->recipients,
                           .webhooks = *webhooks,
                           .bridge = messaging->bridge ? &*messaging->bridge : nullptr,
                           .urls = *urls,
                           .presigner = presigner,
                           .clock = clock,
                           .ready = is_ready,
                           .observe = observe,
                           .allows_http_media = options.config.fetch.allow_http,
                           .cors_origin = options.config.server.cors_origin}));
    admin::Services services{.attachments = *attachments,
                             .partners = *partners,
                             .inbound = messaging->inbound,
                             .media = messaging->media,
                             .messages = messaging->messages,
                             .webhooks = *webhooks,
                             .database = *database,
                             .urls = *urls,
                             .clock = clock,
                             .metrics = metrics,
                             .ready = is_ready,
                             .sweeper_lag = [this] { return sweeper->lag_seconds(); },
                             .media_problems = [this] { return media->problems(); },
                             .advance_clock = {},
                             .token = running.admin.token};
    if (options.test_clock) {
        services.advance_clock = [this](std::chrono::seconds by) { return advance_clock(by); };
    }
    admin_handler.set(admin::make_handler(std::move(services)));
}

void Server::State::add_values() {
    metrics.counter("satchel_commits_total", "Transactions that the database made durable.",
                    [this] { return static_cast<double>(database->stats().commits); });
    metrics.counter("satchel_commit_writes_total", "Writes in those transactions.",
                    [this] { return static_cast<double>(database->stats().writes); });
    metrics.counter("satchel_webhook_attempts_total", "Webhook deliveries that were tried.",
                    [this] { return static_cast<double>(deliverer->totals().attempts); });
    metrics.counter("satchel_webhook_delivered_total", "Webhook deliveries that were accepted.",
                    [this] { return static_cast<double>(deliverer->totals().delivered); });
    metrics.counter("satchel_webhook_given_up_total", "Webhook deliveries that were given up.",
                    [this] { return static_cast<double>(deliverer->totals().given_up); });
    metrics.gauge("satchel_webhook_running", "Webhook deliveries under way.",
                  [this] { return static_cast<double>(deliverer->totals().running); });
    metrics.counter("satchel_infected_files_total", "Files in which the scanner found something.",
                    [this] { return static_cast<double>(media->inspector().totals().infected); });
    metrics.counter("satchel_unscanned_files_total",
                    "Files that could not be scanned, taken or not.",
                    [this] { return static_cast<double>(media->inspector().totals().unscanned); });
    metrics.counter("satchel_expired_attachments_total",
                    "Ephemeral attachments whose time was over, removed.",
                    [this] { return static_cast<double>(deletions->expired()); });
    metrics.counter("satchel_expired_messages_total",
                    "Ephemeral messages whose time was over, removed.",
                    [this] { return static_cast<double>(message_expiry->removed_messages()); });
    metrics.gauge("satchel_connections", "Open connections of the public listener.",
                  [this] { return static_cast<double>(public_server->connections()); });
    metrics.gauge("satchel_sweeper_lag_seconds", "Seconds since a sweep last left nothing to do.",
                  [this] { return sweeper->lag_seconds(); });
}

// Asked without a token, so the answer is kept for a moment: asking is cheap, checking is not.
Task<std::string> Server::State::ready() {
    const auto now = std::chrono::steady_clock::now();
    {
        const std::lock_guard guard(readiness_mutex);
        if (now < readiness_expires_at) co_return failing_part;
        readiness_expires_at = now + limits::readiness_kept;
    }
    const std::string failing = co_await check_parts();
    const std::lock_guard guard(readiness_mutex);
    failing_part = failing;
    co_return failing;
}

Task<std::string> Server::State::check_parts() {
    const auto answered = co_await database->read([](meta::Session& session) -> Result<> {
        TRY(const auto statement, session.query("SELECT 1"));
        TRY([[maybe_unused]] const bool row, statement->step());
        return {};
    });
    if (!answered) {
        log::error("not_ready", {{"part", "database"}, {"detail", answered.error().detail}});
        co_return "database";
    }
    const auto probed = co_await blobs->probe();
    if (!probed) {
        log::error("not_ready", {{"part", "blobs"}, {"detail", probed.error().detail}});
        co_return "blobs";
    }
    co_return std::string();
}

Task<Result<>> Server::State::advance_clock(std::chrono::seconds by) {
    clock.advance(by);
    CO_CHECK(co_await sweeper->sweep_all());
    CO_CHECK(co_await messaging->deliveries.run_all_due());
    CO_CHECK(co_await messaging->receipts.run_all_due());
    co_await deliverer->catch_up();
    co_return Result<>{};
}

// Waits for the first signal, then stops in the order: listeners, sweeper, loops.
Task<> Server::State::supervise() {
    const auto [error, number] = co_await signals->async_wait(asio::as_tuple(use_task));
    log::info("stopping", {{"signal", number}});
    remove_admin_file(data_folder());
    if (!error) supervision->spawn("insist", insist());
    servers_running = 2;
    public_server->stop(limits::stop_wait_max, [this] { one_server_stopped(); });
    admin_server->stop(limits::stop_wait_max, [this] { one_server_stopped(); });
    sweeper->stop();
    messaging->deliveries.stop();
    messaging->receipts.stop();
    deliverer->stop();
    media->stop_examining();
    co_await background->stop(limits::stop_wait_max);
    while (servers_running > 0) {
        servers_stopped->expires_at(std::chrono::steady_clock::time_point::max());
        co_await servers_stopped->async_wait(asio::as_tuple(use_task));
    }
    // Requests that were under way have had their conversions.
    co_await media->stop();
    boost::system::error_code ignored;
    signals->cancel(ignored);
    log::info("stopped");
    for (const auto& loop : loops) asio::post(*loop, [&each = *loop] { each.stop(); });
}

// Acknowledged work is durable and the rest is put right at the next start, so a second signal
// may end the process on the spot.
Task<> Server::State::insist() {
    const auto [error, number] = co_await signals->async_wait(asio::as_tuple(use_task));
    if (error) co_return;
    log::warn("stopped_at_once", {{"signal", number}});
    ::_exit(1);
}

void Server::State::one_server_stopped() {
    asio::post(first_loop(), [this] {
        --servers_running;
        servers_stopped->cancel();
    });
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::open(ServerOptions options) {
    log::set_level(options.config.log.level);
    TRY(FolderLock lock, FolderLock::take(options.config.data_folder()));
    TRY(crypto::KeyRing keys, open_keys(options.config));
    auto state = std::make_unique<State>(std::move(options), std::move(lock), std::move(keys));
    CHECK(state->open_stores());
    CHECK(state->ensure_demo());
    CHECK(state->open_listeners());
    state->make_handlers();
    state->add_values();
    return std::unique_ptr<Server>(new Server(std::move(state)));
}

Result<> Server::run(const std::function<Result<>(const RunningServer&)>& on_ready) {
    State& state = *state_;
    Loop& first = state.first_loop();
    first.restart();
    state.signals.emplace(first.get_executor(), SIGINT, SIGTERM);
    state.servers_stopped.emplace(first.get_executor());
    state.background.emplace(first);
    state.supervision.emplace(first);
    state.background->spawn("sweeper", state.sweeper->run());
    state.background->spawn("webhooks", state.deliverer->run());
    state.background->spawn("media", state.media->examine());
    state.background->spawn("deliveries", state.messaging->deliveries.run());
    state.background->spawn("receipts", state.messaging->receipts.run());
    state.supervision->spawn("supervise", state.supervise());
    state.public_server->start();
    state.admin_server->start();

    std::vector<asio::executor_work_guard<Loop::executor_type>> guards;
    for (const auto& loop : state.loops) guards.emplace_back(loop->get_executor());
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < state.loops.size(); ++i) {
        threads.emplace_back([&loop = *state.loops[i]] { loop.run(); });
    }
    // Runs on the first loop, behind what makes the listeners accept.
    Result<> announced;
    asio::post(first, [this, &state, &announced, &on_ready] {
        announced = write_admin_file(state.data_folder(), state.running.admin);
        if (announced) announced = on_ready(state.running);
        if (!announced) request_stop();
    });
    first.run();
    for (auto& thread : threads) thread.join();
    state.pool.join();
    return announced;
}

void Server::request_stop() {
    asio::post(state_->first_loop(), [this] {
        boost::system::error_code ignored;
        state_->signals->cancel(ignored);
    });
}

void prepare_process(const Config& config) {
    std::signal(SIGPIPE, SIG_IGN);
    rlimit descriptors{};
    if (::getrlimit(RLIMIT_NOFILE, &descriptors) == 0) {
        descriptors.rlim_cur = descriptors.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &descriptors);
    }
    ::mallopt(M_ARENA_MAX, static_cast<int>(thread_count(config)) + 1);
}

}  // namespace satchel::app
