// A listener opens before its handler can be made: the handler's URLs need the port.
#pragma once

#include "http/message.hpp"

#include <memory>
#include <utility>

namespace satchel::app {

// Stands for a handler that can be made only when the port is known.
class LateHandler : public http::Handler {
public:
    void set(std::unique_ptr<http::Handler> handler) { handler_ = std::move(handler); }
    Task<http::Response> handle(http::Request& request) override {
        return handler_->handle(request);
    }
    http::Response refusal(const Error& error, std::string_view trace_id) override {
        return handler_->refusal(error, trace_id);
    }
    void answered(const http::Request& request, const Outcome& outcome) override {
        handler_->answered(request, outcome);
    }

private:
    std::unique_ptr<http::Handler> handler_;
};

}  // namespace satchel::app
