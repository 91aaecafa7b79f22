#include "service/bridge_service.hpp"

#include "base/limits.hpp"
#include "gateway/http_gateway.hpp"
#include "meta/chats.hpp"
#include "meta/gateway_inbox.hpp"
#include "meta/jobs.hpp"
#include "meta/messages.hpp"
#include "meta/partners.hpp"
#include "meta/sqlite.hpp"
#include "meta/webhook_subscriptions.hpp"
#include "model/api_errors.hpp"
#include "service/delivery_worker.hpp"
#include "service/message_service.hpp"
#include "service/receive_worker.hpp"
#include "tests/support/memory_blob_store.hpp"
#include "tests/support/run.hpp"
#include "tests/support/scripted_fetcher.hpp"
#include "tests/support/temp_folder.hpp"

#include <gtest/gtest.h>

namespace satchel {
namespace {

using test::run;
using namespace std::chrono_literals;

const std::string line = "+15550100001";
const std::string friend_number = "+15551234567";

crypto::KeyRing make_keys(const std::filesystem::path& file) {
    EXPECT_TRUE(crypto::KeyRing::create(file));
    return *crypto::KeyRing::open(file);
}

fetch::Fetched found(std::string_view bytes, std::string type = "image/jpeg") {
    fetch::Fetched fetched;
    fetched.status = 200;
    fetched.content_type = std::move(type);
    fetched.final_url = "https://media.test/photo.jpg";
    const ByteView view = as_bytes(bytes);
    fetched.body.assign(view.begin(), view.end());
    return fetched;
}

fetch::Fetched failed(fetch::Failure failure, int status = 0) {
    fetch::Fetched fetched;
    fetched.failure = failure;
    fetched.status = status;
    return fetched;
}

struct BridgeServiceTest : testing::Test {
    test::TempFolder folder;
    crypto::KeyRing keys = make_keys(folder / "master.key");
    Clock clock{Time{std::chrono::seconds(1'800'000'000)}};
    test::MemoryBlobStore blobs;
    std::unique_ptr<meta::Database> database =
        *meta::open_sqlite({.file = folder / "meta.db", .keys = &keys});
    crypto::sigv4::Presigner presigner{{"satchel", "secret", "local"}};
    UrlMaker urls{{"http://a.test", "http://a.test", "http://cdn.test"}, presigner};
    ContentInspector inspector{{blobs}};
    MediaService media{{*database, blobs, keys, clock, urls, {}, inspector}};
    InboundService inbound{{*database, media, clock}};
    test::ScriptedFetcher fetcher;
    test::ScriptedFetcher bridge_fetcher;
    const std::string secret = crypto::new_webhook_secret();
    gateway::HttpGateway gateway{{bridge_fetcher, clock, "https://bridge.test/messages", secret}};
    PairLimiter limiter{clock, 0};
    MessageService messages{{*database, media, clock, limiter, [] {}}};
    DeliveryWorker deliveries{{*database, media, inbound, gateway, clock}};
    CarriedMedia files{{media, fetcher, &bridge_fetcher, "https://bridge.test/messages"}};
    ReceiveWorker receiver{{*database, inbound, files}};
    BridgeService bridge{{*database, media, inbound, clock, secret, [] {}}};
    const PartnerId alice = add_partner("alice");

    PartnerId add_partner(std::string name) {
        const Partner partner{PartnerId::random(), std::move(name), clock.now(), std::nullopt};
        auto insert = [&](meta::Session& session) -> Result<> {
            CHECK(meta::insert_partner(session, partner));
            CHECK(meta::insert_line(session, {line, partner.id, clock.now()}));
            meta::SubscriptionRow row;
            row.subscription.id = SubscriptionId::random();
            row.subscription.partner = partner.id;
            row.subscription.target_url = "https://hook.test/";
            row.subscription.events = {"message.sent", "message.delivered", "message.read",
                                       "message.failed", "message.received"};
            row.subscription.is_active = true;
            row.subscription.created_at = clock.now();
            row.subscription.updated_at = clock.now();
            return meta::insert_subscription(session, row);
        };
        EXPECT_TRUE(run(database->write(insert)));
        return partner.id;
    }
    Message send() {
        SendContext context;
        context.caller = {alice, ApiKeyId::random()};
        MessageContent content;
        content.parts.emplace_back(TextPart{"hi", {}});
        return run(messages.send_from(context, line, {friend_number}, content))->message;
    }
    // One attempt at each due job, ended as the runner would end it.
    template <class Worker>
    void attempt_all(Worker& worker, std::string_view kind, std::uint32_t attempts_max) {
        auto take = [&](meta::Session& session) -> Result<std::vector<meta::Job>> {
            TRY(auto jobs, meta::lease_jobs(session, kind, clock.now(), clock.now() + 1min, 100));
            for (const meta::Job& job : jobs) CHECK(worker.taken(session, job, clock.now()));
            return jobs;
        };
        for (const meta::Job& job : *run(database->write(take))) {
            auto attempted = run(worker.attempt(job));
            auto end = [&](meta::Session& session) -> Result<> {
                if (!attempted && attempted.error().code == Errc::unavailable &&
                    job.attempts < attempts_max) {
                    return meta::postpone_job(session, job.seq, clock.now());
                }
                CHECK(attempted ? (*attempted)(session)
                                : worker.given_up(session, job, attempted.error()));
                return meta::finish_job(session, job.seq);
            };
            ASSERT_TRUE(run(database->write(end)));
        }
    }
    void deliver() { attempt_all(deliveries, delivery_job, limits::gateway_attempts_max); }
    void take_in_files() { attempt_all(receiver, receive_job, limits::receive_attempts_max); }

    Result<DeliveryStatus> report(MessageId id, DeliveryStatus status) {
        StatusReport report;
        report.message = id;
        report.status = status;
        report.failure_code = status == DeliveryStatus::failed ? 4001 : 0;
        return run(bridge.report(report));
    }
    // Events that were told since the start, in order.
    std::vector<std::string> told() {
        auto read = [](meta::Session& session) -> Result<std::vector<std::string>> {
            TRY(auto rows, session.query("SELECT event_type FROM webhook_outbox ORDER BY seq"));
            std::vector<std::string> out;
            while (*rows->step()) out.emplace_back(rows->text(0));
            return out;
        };
        return *run(database->read(read));
    }
    static CarriedMessage carried(std::string id, std::vector<CarriedPart> parts) {
        CarriedMessage message;
        message.bridge_id = std::move(id);
        message.line = line;
        message.from = friend_number;
        message.parts = std::move(parts);
        message.sent_at = Time::max();
        return message;
    }
    static CarriedFile file(std::string url = "https://media.test/photo.jpg") {
        return {std::move(url), "", ""};
    }
    Result<Message> stored(MessageId id) { return run(messages.message(alice, id)); }
};

using Strings = std::vector<std::string>;

TEST_F(BridgeServiceTest, each_step_is_told_once_in_whatever_order_it_is_reported) {
    const Message message = send();
    deliver();
    EXPECT_EQ(stored(message.id)->status, DeliveryStatus::queued);
    EXPECT_EQ(*report(message.id, DeliveryStatus::delivered), DeliveryStatus::delivered);
    EXPECT_EQ(*report(message.id, DeliveryStatus::sent), DeliveryStatus::delivered);
    EXPECT_EQ(*report(message.id, DeliveryStatus::delivered), DeliveryStatus::delivered);
    EXPECT_EQ(*report(message.id, DeliveryStatus::failed), DeliveryStatus::delivered);
    EXPECT_EQ(*report(message.id, DeliveryStatus::read), DeliveryStatus::read);
    EXPECT_EQ(*report(message.id, DeliveryStatus::delivered), DeliveryStatus::read);
    EXPECT_EQ(told(), (Strings{"message.sent", "message.delivered", "message.read"}));
}

TEST_F(BridgeServiceTest, read_alone_means_all_that_comes_before) {
    const Message message = send();
    EXPECT_EQ(*report(message.id, DeliveryStatus::read), DeliveryStatus::read);
    EXPECT_EQ(told(), (Strings{"message.sent", "message.delivered", "message.read"}));
    const auto read = stored(message.id);
    EXPECT_TRUE(read->sent_at && read->delivered_at && read->read_at);
}

TEST_F(BridgeServiceTest, what_was_sent_may_fail_and_stays_failed) {
    const Message message = send();
    report(message.id, DeliveryStatus::sent).value();
    EXPECT_EQ(*report(message.id, DeliveryStatus::failed), DeliveryStatus::failed);
    EXPECT_EQ(*report(message.id, DeliveryStatus::failed), DeliveryStatus::failed);
    EXPECT_EQ(*report(message.id, DeliveryStatus::delivered), DeliveryStatus::failed);
    EXPECT_EQ(told(), (Strings{"message.sent", "message.failed"}));
}

TEST_F(BridgeServiceTest, unknown_and_inbound_messages_have_no_status_to_report) {
    EXPECT_EQ(report(MessageId::random(), DeliveryStatus::sent).error().reason,
              &reasons::message_not_found);
    const auto id = run(bridge.take_in(carried("1", {TextPart{"hi", {}}})));
    EXPECT_EQ(report(*id, DeliveryStatus::read).error().reason, &reasons::message_not_found);
}

TEST_F(BridgeServiceTest, a_report_that_overtakes_the_answer_is_kept) {
    const Message message = send();
    bridge_fetcher.set_script([&](const fetch::PostRequest&) {
        EXPECT_TRUE(report(message.id, DeliveryStatus::delivered));
        return test::ScriptedFetcher::Answer{.status = 400};
    });
    deliver();
    EXPECT_EQ(stored(message.id)->status, DeliveryStatus::delivered);
    EXPECT_EQ(told(), (Strings{"message.sent", "message.delivered"}));
}

TEST_F(BridgeServiceTest, what_the_bridge_has_reported_on_is_not_handed_over_again) {
    const Message message = send();
    bridge_fetcher.set_script(
        [](const fetch::PostRequest&) { return test::ScriptedFetcher::Answer{.status = 500}; });
    deliver();
    report(message.id, DeliveryStatus::sent).value();
    deliver();
    EXPECT_EQ(bridge_fetcher.posts().size(), 1U);
    EXPECT_EQ(stored(message.id)->status, DeliveryStatus::sent);
}

TEST_F(BridgeServiceTest, a_bridge_that_never_takes_it_fails_the_message) {
    const Message message = send();
    bridge_fetcher.set_script(
        [](const fetch::PostRequest&) { return test::ScriptedFetcher::Answer{.status = 503}; });
    for (std::uint32_t i = 0; i < limits::gateway_attempts_max; ++i) deliver();
    EXPECT_EQ(bridge_fetcher.posts().size(), limits::gateway_attempts_max);
    EXPECT_EQ(stored(message.id)->status, DeliveryStatus::failed);
    EXPECT_EQ(told(), Strings{"message.failed"});
}

TEST_F(BridgeServiceTest, a_text_comes_in_at_once_and_once) {
    const auto first = run(bridge.take_in(carried("1", {TextPart{"hi", {}}})));
    const auto again = run(bridge.take_in(carried("1", {TextPart{"something else", {}}})));
    ASSERT_TRUE(first && again);
    EXPECT_EQ(*first, *again);
    EXPECT_EQ(std::get<TextPart>(stored(*first)->parts[0]).value, "hi");
    EXPECT_EQ(told(), Strings{"message.received"});
    CarriedMessage elsewhere = carried("2", {TextPart{"hi", {}}});
    elsewhere.line = "+15559999999";
    EXPECT_EQ(run(bridge.take_in(elsewhere)).error().reason, &reasons::phone_number_not_found);
}

TEST_F(BridgeServiceTest, a_message_with_a_file_waits_for_it) {
    int asked = 0;
    fetcher.set_get_script([&](const fetch::GetRequest&) {
        return ++asked < 3 ? failed(fetch::Failure::bad_status, 503) : found("bytes");
    });
    CarriedMessage message = carried("1", {TextPart{"look", {}}, file()});
    message.sent_at = clock.now() - 1h;
    const auto id = run(bridge.take_in(message));
    ASSERT_TRUE(id);
    for (int i = 0; i < 2; ++i) {
        take_in_files();
        EXPECT_FALSE(stored(*id));
    }
    clock.advance(1min);
    take_in_files();
    const auto read = stored(*id);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->sent_at, message.sent_at);
    const auto& part = std::get<MediaPart>(read->parts[1]);
    EXPECT_EQ(part.media->filename, "photo.jpg");
    EXPECT_EQ(part.media->size_bytes, 5U);
    take_in_files();
    EXPECT_EQ(told(), Strings{"message.received"});
    EXPECT_EQ(*run(bridge.take_in(message)), *id);
}

TEST_F(BridgeServiceTest, a_file_that_never_comes_leaves_an_empty_part) {
    fetcher.set_get_script([](const fetch::GetRequest& request) {
        return request.url.ends_with("good.jpg") ? found("bytes")
                                                 : failed(fetch::Failure::timed_out);
    });
    const auto id = run(bridge.take_in(
        carried("1", {file("https://media.test/bad.jpg"), file("https://media.test/good.jpg")})));
    for (std::uint32_t i = 0; i < limits::receive_attempts_max; ++i) {
        EXPECT_FALSE(stored(*id));
        take_in_files();
    }
    const auto read = stored(*id);
    ASSERT_TRUE(read);
    EXPECT_FALSE(std::get<MediaPart>(read->parts[0]).media);
    EXPECT_TRUE(std::get<MediaPart>(read->parts[1]).media);
    EXPECT_EQ(told(), Strings{"message.received"});
}

TEST_F(BridgeServiceTest, a_file_that_is_refused_for_good_is_not_asked_for_again) {
    const std::string program(
        "\x7f"
        "ELF\x02\x01\x01\0\0\0\0\0\0\0\0\0",
        16);
    const std::vector<fetch::Fetched> answers{failed(fetch::Failure::bad_url),
                                              failed(fetch::Failure::too_large),
                                              failed(fetch::Failure::bad_status, 403),
                                              failed(fetch::Failure::bad_status, 410),
                                              found(""),
                                              found(program)};
    int number = 0;
    for (const fetch::Fetched& answer : answers) {
        fetcher.set_get_script([&](const fetch::GetRequest&) { return answer; });
        const auto id = run(bridge.take_in(carried(std::to_string(++number), {file()})));
        take_in_files();
        const auto read = stored(*id);
        ASSERT_TRUE(read) << number;
        EXPECT_FALSE(std::get<MediaPart>(read->parts[0]).media) << number;
    }
}

TEST_F(BridgeServiceTest, only_urls_of_the_bridge_itself_go_through_its_own_door) {
    Strings own;
    Strings others;
    bridge_fetcher.set_get_script([&](const fetch::GetRequest& request) {
        own.push_back(request.url);
        return found("bytes");
    });
    fetcher.set_get_script([&](const fetch::GetRequest& request) {
        others.push_back(request.url);
        return found("bytes");
    });
    const Strings theirs{"https://bridge.test.evil.test/a.jpg", "https://bridge.test:444/a.jpg",
                         "http://bridge.test/a.jpg", "https://bridge.test@evil.test/a.jpg"};
    int number = 0;
    for (const std::string& url : theirs) {
        run(bridge.take_in(carried(std::to_string(++number), {file(url)}))).value();
    }
    run(bridge.take_in(carried("own", {file("https://bridge.test/media/1.jpg")}))).value();
    take_in_files();
    EXPECT_EQ(own, Strings{"https://bridge.test/media/1.jpg"});
    EXPECT_EQ(others, theirs);
}

TEST_F(BridgeServiceTest, a_line_that_changed_hands_does_not_bring_its_messages_along) {
    const auto id = run(bridge.take_in(carried("1", {file()})));
    fetcher.set_get_script([](const fetch::GetRequest&) { return found("bytes"); });
    auto remove = [](meta::Session& session) { return meta::remove_line(session, line); };
    ASSERT_TRUE(run(database->write(remove)));
    const PartnerId bob = add_partner("bob");
    take_in_files();
    EXPECT_FALSE(stored(*id));
    EXPECT_FALSE(run(messages.message(bob, *id)));
    EXPECT_TRUE(told().empty());
}

TEST_F(BridgeServiceTest, what_waits_is_unreadable_in_the_database_and_forgotten_in_the_end) {
    run(bridge.take_in(carried("1", {TextPart{"hi", {}}}))).value();
    clock.advance(limits::gateway_id_life + 1s);
    run(bridge.take_in(carried("2", {TextPart{"ho", {}}}))).value();
    auto find = [](meta::Session& session) { return meta::find_inbox_message(session, line, "1"); };
    EXPECT_EQ(*run(database->read(find)), std::nullopt);
    run(bridge.take_in(carried("3", {TextPart{"a secret", {}}, file()}))).value();
    auto row = [](meta::Session& session) -> Result<std::string> {
        TRY(auto rows, session.query("SELECT sealed_message FROM gateway_inbox "
                                     "WHERE sealed_message IS NOT NULL"));
        TRY([[maybe_unused]] const bool is_there, rows->step());
        return std::string(as_text(rows->blob(0)));
    };
    EXPECT_EQ(run(database->read(row))->find("secret"), std::string::npos);
}

TEST_F(BridgeServiceTest, a_signature_holds_for_five_minutes_of_real_time) {
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
    const auto is_genuine = [&](std::int64_t seconds, const std::string& with) {
        const crypto::WebhookMessage message{.id = "1", .unix_seconds = seconds, .body = "{}"};
        return bridge.is_genuine(message, *crypto::standard_webhook_signature(with, message));
    };
    EXPECT_TRUE(is_genuine(now, secret));
    EXPECT_TRUE(is_genuine(now - 290, secret));
    EXPECT_FALSE(is_genuine(now - 310, secret));
    EXPECT_FALSE(is_genuine(now + 310, secret));
    EXPECT_FALSE(is_genuine(INT64_MAX, secret));
    EXPECT_FALSE(is_genuine(now, crypto::new_webhook_secret()));
    EXPECT_FALSE(bridge.is_genuine({.id = "1", .unix_seconds = now, .body = "{}"}, ""));
}

}  // namespace
}  // namespace satchel
