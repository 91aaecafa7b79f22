#include "admin/admin.hpp"

#include "admin/render.hpp"
#include "admin/routes.hpp"
#include "base/log.hpp"
#include "crypto/key.hpp"
#include "http/route_pattern.hpp"
#include "model/api_errors.hpp"

namespace satchel::admin {
namespace {

using http::Method;
using http::Request;
using http::Response;

constexpr std::string_view api_prefix = "/admin/v1";
constexpr std::string_view metrics_path = "/metrics";

class AdminHandler : public http::Handler {
public:
    explicit AdminHandler(Services services) : services_(std::move(services)) {}

    Task<Response> handle(Request& request) override {
        if (request.path == metrics_path && request.method == Method::get) {
            request.route = "metrics";
            co_return metrics();
        }
        auto response = co_await call(request);
        if (response) co_return std::move(*response);
        co_return error_response(response.error(), request.trace_id);
    }

    Response refusal(const Error& error, std::string_view trace_id) override {
        return error_response(error, trace_id);
    }

    void answered(const Request& request, const Outcome& outcome) override {
        services_.metrics.observe(request.route, outcome);
        if (!log::enabled(log::Level::info)) return;
        log::info(
            "admin_request",
            {{"trace_id", request.trace_id}, {"route", request.route}, {"status", outcome.status}});
    }

private:
    // 401 comes before anything else, also before a path or a method is known to be wrong.
    Async<Response> call(Request& request) {
        if (!is_operator(request)) {
            co_return fail(reasons::unauthorized,
                           "the admin API wants the bearer token that admin.json holds");
        }
        if (!request.path.starts_with(api_prefix)) co_return fail(reasons::resource_not_found);
        const auto path = request.path.substr(api_prefix.size());
        std::string allowed;
        for (const Route& route : routes()) {
            const auto raw_subject = http::match_route(route.path, path);
            if (!raw_subject) continue;
            if (route.method == request.method) {
                request.route = route.name;
                CO_TRY(std::string subject, decode_segment(*raw_subject));
                Call chosen{services_, request, std::move(subject)};
                co_return co_await route.action(std::move(chosen));
            }
            allowed += allowed.empty() ? "" : ", ";
            allowed += route.method_text;
        }
        if (allowed.empty()) co_return fail(reasons::resource_not_found);
        Error error;
        error.code = reasons::method_not_allowed.errc;
        error.reason = &reasons::method_not_allowed;
        Response response = error_response(error, request.trace_id);
        co_return std::move(response.with("Allow", std::move(allowed)));
    }

    bool is_operator(const Request& request) const {
        static constexpr std::string_view scheme = "Bearer ";
        const auto value = request.header("authorization");
        return value && value->starts_with(scheme) &&
               crypto::equal_constant_time(as_bytes(value->substr(scheme.size())),
                                           as_bytes(services_.token));
    }

    Response metrics() const {
        Response response;
        response.with("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
        response.body = services_.metrics.text();
        return response;
    }

    Services services_;
};

}  // namespace

std::unique_ptr<http::Handler> make_handler(Services services) {
    ASSERT(!services.token.empty());
    return std::make_unique<AdminHandler>(std::move(services));
}

}  // namespace satchel::admin
