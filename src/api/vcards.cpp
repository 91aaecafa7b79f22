#include "api/vcards.hpp"

#include "api/error_response.hpp"

#include <array>
#include <optional>

namespace satchel::api {
namespace {

using Verdict = crypto::sigv4::Presigner::Verdict;

constexpr std::array<std::string_view, 1> must_sign{"host"};

std::optional<http::Response> refusal(const Services& services, const http::Request& request) {
    const crypto::sigv4::Presigner::Incoming incoming{request.method_text, request.path,
                                                      request.query, request.headers};
    const Verdict verdict =
        services.presigner.verify(incoming, must_sign, {}, services.clock.now());
    if (verdict == Verdict::ok && request.method == http::Method::get) return std::nullopt;
    if (verdict == Verdict::expired) {
        return xml_error(403, "AccessDenied", "Request has expired", request.trace_id);
    }
    return xml_error(403, "SignatureDoesNotMatch",
                     "Send a GET with exactly the vcf_url that you were given.", request.trace_id);
}

}  // namespace

Task<http::Response> get_vcard(Services& services, http::Request& request, std::string_view rest) {
    if (auto refused = refusal(services, request)) co_return std::move(*refused);
    static constexpr std::string_view extension = ".vcf";
    const auto slash = rest.find('/');
    const auto partner = PartnerId::parse(rest.substr(0, slash));
    // Whatever is signed is as UrlMaker made it.
    if (!partner || slash == std::string_view::npos || !rest.ends_with(extension)) {
        co_return xml_error(404, "NoSuchKey", "The specified key does not exist.",
                            request.trace_id);
    }
    rest.remove_prefix(slash + 1);
    rest.remove_suffix(extension.size());
    const auto card = co_await services.lines.vcard(*partner, "+" + std::string(rest));
    if (!card) {
        co_return xml_error(404, "NoSuchKey", "The specified key does not exist.",
                            request.trace_id);
    }
    http::Response response;
    response.with("Content-Type", std::string(vcard_content_type));
    response.with("Content-Disposition", "attachment; filename=\"contact.vcf\"");
    response.with("Cache-Control", "private, no-store");
    response.with("X-Content-Type-Options", "nosniff");
    response.body = vcard_text(*card);
    co_return response;
}

}  // namespace satchel::api
