// What /metrics shows. Names are a promise: docs/operations/metrics.md.
#pragma once

#include "http/message.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace satchel::admin {

// Thread-safe, but for gauge() and counter(): call those before the first text().
class Metrics {
public:
    struct Label {
        std::string name;
        std::string value;
    };
    Metrics();
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    // One answered request. `route` is a name from the routes table (static storage).
    void observe(std::string_view route, const http::Handler::Outcome& outcome);
    // A value read when the page is made.
    void gauge(std::string name, std::string help, std::function<double()> value);
    // One of several values of that name, apart by a label.
    void gauge(std::string name, std::string help, Label label, std::function<double()> value);
    // As gauge(), for a value that only grows.
    void counter(std::string name, std::string help, std::function<double()> value);

    // Prometheus text format 0.0.4.
    std::string text() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace satchel::admin
