#include "app/server.hpp"

#include "admin/admin.hpp"
#include "api/api.hpp"
#include "app/backup_job.hpp"
#include "app/chores.hpp"
#include "app/edge_work.hpp"
#include "app/key_work.hpp"
#include "app/late_handler.hpp"
#include "app/media_work.hpp"
#include "app/messaging.hpp"
#include "app/readiness.hpp"
#include "app/run_to_end.hpp"
#include "app/server_settings.hpp"
#include "app/store_paths.hpp"
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
#include "service/call_limiter.hpp"
#include "service/deletion_service.hpp"
#include "service/erasure_service.hpp"
#include "service/message_expiry.hpp"
#include "service/partner_service.hpp"
#include "service/retention_service.hpp"
#include "service/scrubber.hpp"
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

}  // namespace

// Members are destroyed in reverse: the loops last, because what is above them holds timers and
// sockets on them and the database's writer may still post to them.
struct Server::State {
    State(ServerOptions o, FolderLock l, MasterKeys k)
        : options(std::move(o)),
          lock(std::move(l)),
          key_source(std::move(k.source)),
          keys(std::move(k.ring)),
          pool(limits::blocking_threads) {
        for (unsigned i = 0; i < thread_count(options.config); ++i) {
            loops.push_back(std::make_unique<Loop>(1));
        }
    }

    ServerOptions options;
    FolderLock lock;
    std::unique_ptr<crypto::KeySource> key_source;
    crypto::KeyRing keys;
    std::vector<std::unique_ptr<Loop>> loops;
    Loop media_loop{1};  // Of conversions: its thread goes behind those of the others.
    BlockingPool pool;
    Clock clock;
    std::unique_ptr<blob::Disk> disk = blob::make_posix_disk();
    std::unique_ptr<blob::Store> blobs;
    std::unique_ptr<meta::Database> database;
    std::optional<crypto::sigv4::Presigner> presigner;
    std::optional<webhook::SecretBox> webhook_secrets;
    std::optional<KeyRotation> key_rotation;
    std::unique_ptr<fetch::Fetcher> fetcher;
    std::optional<MediaWork> media;
    std::unique_ptr<fetch::Fetcher> bridge_fetcher;  // Only if the gateway is http.
    OpenDownloads downloads;
    std::optional<AttachmentService> attachments;
    std::optional<DeletionService> deletions;
    std::optional<RetentionService> retention;
    std::optional<ErasureService> erasures;
    std::optional<MessageExpiry> message_expiry;
    std::optional<PartnerService> partners;
    CallLimiter call_limiter{options.config.server.call_rates};
    std::optional<WebhookService> webhooks;
    std::optional<UrlMaker> urls;
    admin::Metrics metrics;
    std::optional<Sweeper> sweeper;
    std::optional<BackupJob> backups;
    std::optional<Scrubber> scrubber;
    std::optional<webhook::Deliverer> deliverer;
    std::optional<Messaging> messaging;
    std::unique_ptr<EdgeWork> edge;  // Only if an edge is to be told of deletions.
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
    Result<> open_secrets();
    Result<crypto::Key> secret(std::string_view purpose);
    Result<> ensure_demo();
    Result<> open_listeners();
    std::function<void()> wake_edge();
    void make_handlers();
    void add_values();

    std::optional<Readiness> readiness;

    Task<Result<>> advance_clock(std::chrono::seconds by);
    Task<> supervise();
    Task<> insist();
    void one_server_stopped();
};

Result<crypto::Key> Server::State::secret(std::string_view purpose) {
    auto derive = [purpose](meta::Session& session) -> Result<crypto::Key> {
        return session.secret(purpose);
    };
    return run_to_end(first_loop(), database->read(derive));
}

Result<> Server::State::open_secrets() {
    TRY(const crypto::Key for_urls, secret(url_secret_purpose));
    presigner.emplace(url_credentials(for_urls));
    TRY(const crypto::Key for_webhooks, secret(webhook::SecretBox::purpose));
    webhook_secrets.emplace(for_webhooks, keys.former_secrets(webhook::SecretBox::purpose));
    key_rotation.emplace(KeyRotation::Parts{first_loop(), *database, keys, *key_source,
                                            *webhook_secrets, pool, clock});
    return {};
}

Result<> Server::State::open_stores() {
    const Config& config = options.config;
    TRY(database, meta::open_sqlite({.file = config.metadata.sqlite, .keys = &keys}));
    CHECK(open_secrets());
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
    media.emplace(config, MediaWork::Parts{media_loop, *database, *blobs, keys, clock});
    attachments.emplace(AttachmentService::Parts{
        *database, *blobs, keys, clock, policy, media->inspector(), downloads,
        config.media.previews ? &media->renditions() : nullptr, config.quota});
    partners.emplace(*database, clock);
    deletions.emplace(DeletionService::Parts{*database, *blobs, clock, downloads, wake_edge()});
    message_expiry.emplace(MessageExpiry::Parts{*database, clock});
    retention.emplace(
        RetentionService::Parts{*database, clock, *deletions, retention_settings(config)});
    erasures.emplace(ErasureService::Parts{*database, clock, *deletions});
    sweeper.emplace(first_loop(),
                    make_chores(*attachments, *deletions, *message_expiry, *retention));
    scrubber.emplace(Scrubber::Parts{
        first_loop(), *database, *blobs, keys, pool, clock, data_folder() / "scrub.json",
        std::uint64_t{config.integrity.scrub_mib_per_second} * limits::MiB,
        std::chrono::seconds(config.integrity.scrub_interval_seconds)});
    backups.emplace(BackupParts{*database, keys, pool, *disk, config.blobs.local, clock});
    readiness.emplace(*database, *blobs);
    TRY(fetcher, fetch::Fetcher::open(fetch_policy(config)));
    if (config.gateway.kind == Config::GatewayKind::http) {
        TRY(bridge_fetcher, fetch::Fetcher::open(bridge_policy(config)));
    }
    webhooks.emplace(WebhookService::Parts{*database, *fetcher, *webhook_secrets, clock});
    deliverer.emplace(
        webhook::Deliverer::Parts{first_loop(), *database, *fetcher, *webhook_secrets, clock});
    CHECK(run_to_end(first_loop(), attachments->recover()));
    return run_to_end(first_loop(), deletions->recover());
}

// Empty if there is none.
std::function<void()> Server::State::wake_edge() {
    if (options.config.edge.purge.url.empty()) return {};
    return [this] {
        if (edge) edge->runner().wake();
    };
}

Result<> Server::State::ensure_demo() {
    const auto& demo = options.demo;
    if (!demo) return {};
    TRY(const crypto::Key api_key, secret(demo_secret_purpose));
    running.demo_api_key = "sat_" + to_base64url(api_key.bytes);
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
    urls.emplace(bases, *presigner);
    if (!config.edge.purge.url.empty()) {
        TRY(edge, EdgeWork::open(config, {first_loop(), *database, clock, *urls}));
    }
    const ContentTypePolicy policy{config.media.accept_webp_and_svg,
                                   config.media.accept_former_types};
    messaging.emplace(config, first_loop(),
                      MediaService::Parts{*database, *blobs, keys, clock, *urls, policy,
                                          media->inspector(), fetcher.get(), &media->renditions(),
                                          config.media.delivery, config.quota},
                      bridge_fetcher.get());
    return {};
}

void Server::State::make_handlers() {
    const auto is_ready = [this] { return readiness->failing_part(); };
    const auto observe = [this](std::string_view route, const http::Handler::Outcome& outcome) {
        metrics.observe(route, outcome);
    };
    public_handler.set(api::make_handler(
        {.attachments = *attachments,
         .deletions = *deletions,
         .partners = *partners,
         .call_limiter = call_limiter,
         .messages = messaging->messages,
         .chats = messaging->chats,
         .message_changes = messaging->message_changes,
         .lines = messaging->lines,
         .recipients = messaging->recipients,
         .webhooks = *webhooks,
         .bridge = messaging->bridge ? &*messaging->bridge : nullptr,
         .urls = *urls,
         .presigner = *presigner,
         .clock = clock,
         .ready = is_ready,
         .observe = observe,
         .download_cache_life = std::chrono::seconds(options.config.edge.cache_seconds),
         .allows_http_media = options.config.fetch.allow_http,
         .cors_origin = options.config.server.cors_origin}));
    admin::Services services{
        .attachments = *attachments,
        .partners = *partners,
        .inbound = messaging->inbound,
        .media = messaging->media,
        .messages = messaging->messages,
        .webhooks = *webhooks,
        .erasures = *erasures,
        .database = *database,
        .urls = *urls,
        .keys = *key_rotation,
        .clock = clock,
        .metrics = metrics,
        .ready = is_ready,
        .sweeper_lag = [this] { return sweeper->lag_seconds(); },
        .media_problems = [this] { return media->problems(); },
        .advance_clock = {},
        .quota = options.config.quota,
        .call_rates = options.config.server.call_rates,
        .start_backup =
            [this](fs::path folder) { return backups->start(*background, std::move(folder)); },
        .backup_status = [this] { return backups->status(); },
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
    metrics.counter("satchel_downloads_withdrawn_total",
                    "Downloads that ended because what they read was deleted.",
                    [this] { return static_cast<double>(downloads.withdrawn()); });
    if (edge) edge->add_metrics(metrics);
    metrics.counter("satchel_expired_attachments_total",
                    "Ephemeral attachments whose time was over, removed.",
                    [this] { return static_cast<double>(deletions->expired()); });
    metrics.counter("satchel_expired_messages_total",
                    "Ephemeral messages whose time was over, removed.",
                    [this] { return static_cast<double>(message_expiry->removed_messages()); });
    metrics.gauge("satchel_connections", "Open connections of the public listener.",
                  [this] { return static_cast<double>(public_server->connections()); });
    add_key_values(metrics, *key_rotation);
    backups->add_values(metrics);
    add_scrub_values(metrics, *scrubber);
    add_sweeper_metrics(metrics, *sweeper);
}

Task<Result<>> Server::State::advance_clock(std::chrono::seconds by) {
    clock.advance(by);
    CO_CHECK(co_await sweeper->sweep_all());
    CO_CHECK(co_await messaging->deliveries.run_all_due());
    CO_CHECK(co_await messaging->receipts.run_all_due());
    if (edge) CO_CHECK(co_await edge->runner().run_all_due());
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
    key_rotation->stop();
    backups->stop();
    scrubber->stop();
    messaging->deliveries.stop();
    messaging->receipts.stop();
    if (edge) edge->runner().stop();
    deliverer->stop();
    media->stop_examining();
    co_await background->stop(limits::stop_wait_max);
    while (servers_running > 0) {
        servers_stopped->expires_at(std::chrono::steady_clock::time_point::max());
        co_await servers_stopped->async_wait(asio::as_tuple(use_task));
    }
    // Requests that were under way have had their conversions.
    co_await run_on(media_loop, media->stop());
    boost::system::error_code ignored;
    signals->cancel(ignored);
    log::info("stopped");
    for (const auto& loop : loops) asio::post(*loop, [&each = *loop] { each.stop(); });
    asio::post(media_loop, [this] { media_loop.stop(); });
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
    CHECK(check_no_restore(options.config.data_folder()));
    TRY(MasterKeys keys, open_keys(options.config));
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
    state.background->spawn("keys", state.key_rotation->run());
    state.background->spawn("scrubber", state.scrubber->run());
    state.background->spawn("webhooks", state.deliverer->run());
    state.background->spawn("media", run_on(state.media_loop, state.media->examine()));
    state.background->spawn("deliveries", state.messaging->deliveries.run());
    state.background->spawn("receipts", state.messaging->receipts.run());
    if (state.edge) state.background->spawn("edge", state.edge->runner().run());
    state.supervision->spawn("supervise", state.supervise());
    state.public_server->start();
    state.admin_server->start();

    std::vector<asio::executor_work_guard<Loop::executor_type>> guards;
    for (const auto& loop : state.loops) guards.emplace_back(loop->get_executor());
    guards.emplace_back(state.media_loop.get_executor());
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < state.loops.size(); ++i) {
        threads.emplace_back([&loop = *state.loops[i]] { loop.run(); });
    }
    threads.emplace_back([&state] { state.media->run(); });
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
    ::mallopt(M_ARENA_MAX, static_cast<int>(thread_count(config)) + 2);
}

}  // namespace satchel::app
