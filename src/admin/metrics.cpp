#include "admin/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <sstream>
#include <utility>

namespace satchel::admin {
namespace {

const prometheus::Histogram::BucketBoundaries& seconds_buckets() {
    static const prometheus::Histogram::BucketBoundaries buckets{
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60};
    return buckets;
}

// A value that is read when the page is made.
struct Reading {
    std::string name;
    std::string help;
    prometheus::MetricType type;
    std::function<double()> value;
    std::optional<Metrics::Label> label = {};
};

prometheus::MetricFamily read(const Reading& reading) {
    prometheus::ClientMetric metric;
    const double value = reading.value();
    if (reading.label) metric.label.push_back({reading.label->name, reading.label->value});
    if (reading.type == prometheus::MetricType::Counter) {
        metric.counter.value = value;
    } else {
        metric.gauge.value = value;
    }
    return {reading.name, reading.help, reading.type, {std::move(metric)}};
}

}  // namespace

struct Metrics::State {
    prometheus::Registry registry;
    prometheus::Family<prometheus::Counter>& requests =
        prometheus::BuildCounter()
            .Name("satchel_http_requests_total")
            .Help("Requests answered, by route and status.")
            .Register(registry);
    prometheus::Family<prometheus::Histogram>& seconds =
        prometheus::BuildHistogram()
            .Name("satchel_http_request_seconds")
            .Help("From the end of a request's head to the end of its answer.")
            .Register(registry);
    prometheus::Counter& bytes_sent = prometheus::BuildCounter()
                                          .Name("satchel_http_bytes_sent_total")
                                          .Help("Bytes of the bodies of answers.")
                                          .Register(registry)
                                          .Add({});
    prometheus::Counter& cut = prometheus::BuildCounter()
                                   .Name("satchel_http_cut_total")
                                   .Help("Answers whose connection broke before their end.")
                                   .Register(registry)
                                   .Add({});
    std::vector<Reading> readings;

    // Where a route and a status are counted; found without building labels each time.
    struct Series {
        prometheus::Counter* requests = nullptr;
        prometheus::Histogram* seconds = nullptr;
    };
    std::shared_mutex mutex;
    std::map<std::pair<std::string_view, int>, Series> series;

    Series find_series(std::string_view route, int status) {
        const std::pair key(route, status);
        {
            const std::shared_lock lock(mutex);
            const auto found = series.find(key);
            if (found != series.end()) return found->second;
        }
        const std::string name(route);
        const Series made{&requests.Add({{"route", name}, {"status", std::to_string(status)}}),
                          &seconds.Add({{"route", name}}, seconds_buckets())};
        const std::unique_lock lock(mutex);
        return series.try_emplace(key, made).first->second;
    }
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

void Metrics::observe(std::string_view route, const http::Handler::Outcome& outcome) {
    const auto series = state_->find_series(route, outcome.status);
    series.requests->Increment();
    series.seconds->Observe(std::chrono::duration<double>(outcome.took).count());
    state_->bytes_sent.Increment(static_cast<double>(outcome.bytes_sent));
    if (outcome.cut) state_->cut.Increment();
}

void Metrics::gauge(std::string name, std::string help, std::function<double()> value) {
    state_->readings.push_back(
        {std::move(name), std::move(help), prometheus::MetricType::Gauge, std::move(value)});
}

void Metrics::gauge(std::string name,
                    std::string help,
                    Label label,
                    std::function<double()> value) {
    state_->readings.push_back({std::move(name), std::move(help), prometheus::MetricType::Gauge,
                                std::move(value), std::move(label)});
}

void Metrics::counter(std::string name, std::string help, std::function<double()> value) {
    state_->readings.push_back(
        {std::move(name), std::move(help), prometheus::MetricType::Counter, std::move(value)});
}

std::string Metrics::text() const {
    std::vector<prometheus::MetricFamily> families = state_->registry.Collect();
    for (const Reading& reading : state_->readings) {
        auto family = read(reading);
        // One after the other: values of one name stand together.
        if (!families.empty() && families.back().name == family.name) {
            families.back().metric.push_back(std::move(family.metric.front()));
        } else {
            families.push_back(std::move(family));
        }
    }
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families);
    return std::move(out).str();
}

}  // namespace satchel::admin
