#include "api/api.hpp"

#include "api/downloads.hpp"
#include "api/error_response.hpp"
#include "api/gateway_calls.hpp"
#include "api/routes.hpp"
#include "api/unavailable.hpp"
#include "api/uploads.hpp"
#include "api/vcards.hpp"
#include "base/log.hpp"
#include "http/head.hpp"
#include "http/route_pattern.hpp"
#include "model/api_errors.hpp"

namespace satchel::api {
namespace {

using http::Method;
using http::Request;
using http::Response;

constexpr std::string_view partner_prefix = "/api/partner";
constexpr std::string_view api_prefix = "/v3";

// Where a request goes, from its path alone.
enum class Area : std::uint8_t {
    api,
    upload,
    download,
    signed_download,
    gateway,
    vcard,
    health,
    ready,
    nowhere
};

struct Place {
    Area area;
    std::string_view rest;  // The path below the area's prefix.
};

Place find_place(std::string_view path) {
    const auto below = [path](std::string_view prefix) { return path.substr(prefix.size()); };
    if (path.starts_with(upload_path_prefix)) return {Area::upload, below(upload_path_prefix)};
    if (path.starts_with(download_path_prefix)) {
        return {Area::download, below(download_path_prefix)};
    }
    if (path.starts_with(signed_download_path_prefix)) {
        return {Area::signed_download, below(signed_download_path_prefix)};
    }
    if (path.starts_with(gateway_path_prefix)) return {Area::gateway, below(gateway_path_prefix)};
    if (path.starts_with(vcard_path_prefix)) return {Area::vcard, below(vcard_path_prefix)};
    if (path == "/healthz") return {Area::health, {}};
    if (path == "/readyz") return {Area::ready, {}};
    if (path.starts_with(partner_prefix)) path.remove_prefix(partner_prefix.size());
    if (path == api_prefix || (path.starts_with(api_prefix) && path[api_prefix.size()] == '/')) {
        return {Area::api, path.substr(api_prefix.size())};
    }
    return {Area::nowhere, {}};
}

Error error_of(const Reason& reason) {
    Error error;
    error.code = reason.errc;
    error.reason = &reason;
    return error;
}

std::optional<std::string_view> bearer_token(const Request& request) {
    static constexpr std::string_view scheme = "bearer ";
    const auto value = request.header("authorization");
    if (!value || value->size() <= scheme.size() ||
        !http::equal_ignoring_case(value->substr(0, scheme.size()), scheme)) {
        return std::nullopt;
    }
    std::string_view token = value->substr(scheme.size());
    while (token.starts_with(' ')) token.remove_prefix(1);
    return token;
}

class PublicHandler : public http::Handler {
public:
    explicit PublicHandler(Services services) : services_(std::move(services)) {}

    Task<Response> handle(Request& request) override {
        const bool crosses_origins = !services_.cors_origin.empty() && request.header("origin");
        if (crosses_origins && request.method == Method::options &&
            request.header("access-control-request-method")) {
            request.route = "cors";
            co_return preflight(request);
        }
        Response response = co_await answer(request);
        if (crosses_origins) {
            add_cors_origin(response);
            response.with("Access-Control-Expose-Headers",
                          "X-Trace-ID, ETag, Retry-After, Content-Range, Content-Disposition");
        }
        co_return response;
    }

    Response refusal(const Error& error, std::string_view trace_id) override {
        return error_response(error, trace_id);
    }

    void answered(const Request& request, const Outcome& outcome) override {
        services_.observe(request.route, outcome);
        if (!log::enabled(log::Level::info)) return;
        log::info("request",
                  {{"trace_id", request.trace_id},
                   {"route", request.route},
                   {"status", outcome.status},
                   {"bytes", outcome.bytes_sent},
                   {"ms", std::chrono::duration<double, std::milli>(outcome.took).count()},
                   {"cut", outcome.cut}});
    }

private:
    Task<Response> answer(Request& request) {
        const Place place = find_place(request.path);
        switch (place.area) {
            case Area::upload:
                request.route = "upload";
                co_return co_await put_upload(services_, request, place.rest);
            case Area::download:
                request.route = "download";
                co_return co_await get_download(services_, request, place.rest);
            case Area::signed_download:
                request.route = "signed_download";
                co_return co_await get_signed_download(services_, request, place.rest);
            case Area::gateway: {
                auto response = co_await call_gateway(services_, request, place.rest);
                if (response) co_return std::move(*response);
                co_return error_response(response.error(), request.trace_id);
            }
            case Area::vcard:
                request.route = "vcard";
                co_return co_await get_vcard(services_, request, place.rest);
            case Area::health:
            case Area::ready:
                co_return co_await check_health(request, place.area);
            case Area::api: {
                auto response = co_await call_api(request, place.rest);
                if (response) co_return std::move(*response);
                co_return error_response(response.error(), request.trace_id);
            }
            case Area::nowhere:
                break;
        }
        co_return error_response(error_of(reasons::resource_not_found), request.trace_id);
    }

    // 401 comes before anything else, also before a path or a method is known to be wrong.
    Async<Response> call_api(Request& request, std::string_view path) {
        const auto token = bearer_token(request);
        if (!token) co_return fail(reasons::unauthorized);
        CO_TRY(const Caller caller, co_await services_.partners.authenticate(*token));
        const Time now = services_.clock.now();
        CO_CHECK(services_.call_limiter.take(caller, now));

        std::string allowed;
        for (const Route& route : routes()) {
            const auto id = http::match_route(route.path, path);
            if (!id) continue;
            if (route.method == request.method) {
                request.route = route.name;
                CO_CHECK(services_.call_limiter.take_kind(caller, route.kind, now));
                const Call call{services_, request, caller, *id};
                co_return co_await route.action(call);
            }
            allowed += allowed.empty() ? "" : ", ";
            allowed += route.method_text;
        }
        if (is_unavailable(request.method, path)) co_return fail(reasons::feature_not_available);
        if (allowed.empty()) co_return fail(reasons::resource_not_found);
        co_return method_not_allowed(std::move(allowed), request.trace_id);
    }

    Task<Response> check_health(Request& request, Area area) {
        request.route = area == Area::health ? "healthz" : "readyz";
        if (request.method != Method::get && request.method != Method::head) {
            co_return method_not_allowed("GET, HEAD", request.trace_id);
        }
        if (area == Area::health) co_return health("ok", {});
        const std::string failing = co_await services_.ready();
        co_return failing.empty() ? health("ready", {}) : health("unavailable", failing);
    }

    // `failing` is a name of ours: it needs no escaping.
    static Response health(std::string_view status, std::string_view failing) {
        Response response;
        response.status = failing.empty() ? 200 : 503;
        response.with("Content-Type", "application/json");
        response.with("Cache-Control", "no-store");
        response.body = "{\"status\":\"" + std::string(status) + "\"";
        if (!failing.empty()) response.body += ",\"failing\":\"" + std::string(failing) + "\"";
        response.body += "}";
        return response;
    }

    void add_cors_origin(Response& response) const {
        response.with("Access-Control-Allow-Origin", services_.cors_origin);
        if (services_.cors_origin != "*") response.with("Vary", "Origin");
    }

    Response preflight(const Request& request) const {
        Response response;
        response.status = 204;
        add_cors_origin(response);
        response.with("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE, PATCH");
        // What the browser asks for is what it may send; a header value cannot hold CR or LF.
        response.with("Access-Control-Allow-Headers",
                      std::string(request.header("access-control-request-headers")
                                      .value_or("authorization, content-type")));
        response.with("Access-Control-Max-Age", "600");
        return response;
    }

    Services services_;
};

}  // namespace

std::unique_ptr<http::Handler> make_handler(Services services) {
    return std::make_unique<PublicHandler>(std::move(services));
}

}  // namespace satchel::api
