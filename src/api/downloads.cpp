#include "api/downloads.hpp"

#include "api/download_caching.hpp"
#include "api/error_response.hpp"
#include "api/parse.hpp"
#include "api/query.hpp"
#include "api/range_source.hpp"
#include "base/limits.hpp"
#include "base/transfer_buffer.hpp"
#include "model/api_errors.hpp"
#include "model/byte_range.hpp"
#include "model/content_type.hpp"
#include "model/filename.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace satchel::api {
namespace {

using crypto::sigv4::Presigner;

// Runs nothing, loads nothing, even if a browser is made to render the file.
constexpr std::string_view content_security_policy =
    "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'";

struct DownloadPath {
    PartnerId partner;
    AttachmentId attachment;
    std::string_view form;  // Empty: the content itself.
};

// {partner_id}/{attachment_id}/{filename}, or with a form before the file name.
std::optional<DownloadPath> parse_path(std::string_view rest) {
    constexpr std::size_t id_size = 36;
    if (rest.size() < 2 * id_size + 2 || rest[id_size] != '/' || rest[2 * id_size + 1] != '/') {
        return std::nullopt;
    }
    const auto partner = PartnerId::parse(rest.substr(0, id_size));
    const auto attachment = AttachmentId::parse(rest.substr(id_size + 1, id_size));
    if (!partner || !attachment) return std::nullopt;
    DownloadPath path{*partner, *attachment, {}};
    std::string_view name = rest.substr(2 * id_size + 2);
    if (const auto slash = name.find('/'); slash != std::string_view::npos) {
        path.form = name.substr(0, slash);
        name.remove_prefix(slash + 1);
        if (path.form.empty()) return std::nullopt;
    }
    // The file name is for people: whatever stands there is fine, but no further folder.
    if (name.find('/') != std::string_view::npos) return std::nullopt;
    return path;
}

bool lists_etag(std::string_view value, std::string_view etag) {
    while (!value.empty()) {
        const auto comma = value.find(',');
        std::string_view one = value.substr(0, comma);
        while (!one.empty() && (one.front() == ' ' || one.front() == '\t')) one.remove_prefix(1);
        while (!one.empty() && (one.back() == ' ' || one.back() == '\t')) one.remove_suffix(1);
        if (one == "*") return true;
        if (one.starts_with("W/")) one.remove_prefix(2);
        if (one == etag) return true;
        value = comma == std::string_view::npos ? std::string_view() : value.substr(comma + 1);
    }
    return false;
}

bool is_cached(const http::Request& request, std::string_view etag) {
    const auto known = request.header("if-none-match");
    return known && lists_etag(*known, etag);
}

RangeRequest wanted_range(const http::Request& request, std::uint64_t size, std::string_view etag) {
    const auto range = request.header("range");
    if (!range || request.method != http::Method::get) return {};
    // Our validator is an ETag: any other condition means "not the same".
    const auto condition = request.header("if-range");
    if (condition && *condition != etag) return {};
    return parse_range(*range, size);
}

std::string content_range(const ByteRange& range, std::uint64_t size) {
    return "bytes " + std::to_string(range.first) + "-" + std::to_string(range.last) + "/" +
           std::to_string(size);
}

void add_file_headers(http::Response& response, const Attachment& attachment) {
    const ContentType* type = find_content_type(attachment.content_type);
    const bool is_inline = type != nullptr && type->disposition == Disposition::inline_;
    std::string disposition = is_inline ? "inline; " : "attachment; ";
    disposition += filename_for_header(attachment.filename);
    response.with("Content-Disposition", std::move(disposition));
    response.with("X-Content-Type-Options", "nosniff");
    response.with("Content-Security-Policy", std::string(content_security_policy));
}

// The body: one piece of the file, or several as multipart/byteranges.
std::unique_ptr<RangeSource> make_body(http::Response& response,
                                       const Attachment& attachment,
                                       const RangeRequest& range,
                                       std::unique_ptr<DownloadReader> reader) {
    std::vector<RangeSource::Segment> segments;
    if (range.kind == RangeRequest::Kind::whole) {
        response.with("Content-Type", attachment.content_type);
        segments.push_back({{}, ByteRange{0, attachment.size_bytes - 1}});
    } else if (range.ranges.size() == 1) {
        response.status = 206;
        response.with("Content-Type", attachment.content_type);
        response.with("Content-Range", content_range(range.ranges[0], attachment.size_bytes));
        segments.push_back({{}, range.ranges[0]});
    } else {
        response.status = 206;
        const std::string boundary = Uuid::random().str();
        response.with("Content-Type", "multipart/byteranges; boundary=" + boundary);
        for (const ByteRange& part : range.ranges) {
            std::string head = segments.empty() ? "--" : "\r\n--";
            head += boundary;
            head += "\r\nContent-Type: " + attachment.content_type;
            head += "\r\nContent-Range: " + content_range(part, attachment.size_bytes);
            head += "\r\n\r\n";
            segments.push_back({std::move(head), part});
        }
        segments.push_back({"\r\n--" + boundary + "--\r\n", std::nullopt});
    }
    for (const auto& segment : segments) response.source_bytes += segment.size();
    return std::make_unique<RangeSource>(std::move(reader), std::move(segments));
}

std::optional<http::Response> refuse_method(const http::Request& request) {
    if (request.method == http::Method::get || request.method == http::Method::head) {
        return std::nullopt;
    }
    auto response =
        xml_error(405, "MethodNotAllowed",
                  "The specified method is not allowed against this resource.", request.trace_id);
    response.with("Allow", "GET, HEAD");
    return response;
}

// What the signature says, as S3 would answer; a broken one says as little as a wrong one.
std::optional<http::Response> refuse_signature(Services& services, const http::Request& request) {
    // Who may read a file may ask for its head.
    const Presigner::Incoming incoming{"GET", request.path, request.query, request.headers};
    switch (services.presigner.verify(incoming, {}, {}, services.clock.now())) {
        case Presigner::Verdict::ok:
            return std::nullopt;
        case Presigner::Verdict::expired:
            return xml_error(403, "AccessDenied", "Request has expired", request.trace_id);
        default:
            return xml_error(403, "AccessDenied", "Access Denied", request.trace_id);
    }
}

// The bytes, or pieces of them.
Async<http::Response> serve(Services& services,
                            const http::Request& request,
                            const Downloadable& found,
                            const RangeRequest& range,
                            CacheLife caching) {
    const Attachment& attachment = found.attachment;
    const std::string etag = etag_of(*attachment.blob);
    http::Response response;
    response.with("ETag", etag);
    add_cache_headers(response, caching, attachment.id);
    if (is_cached(request, etag)) {
        response.status = 304;
        co_return response;
    }
    if (TransferBuffer::all_taken()) co_return fail(reasons::overloaded);
    CO_TRY(auto reader, co_await services.attachments.open(found));
    add_file_headers(response, attachment);
    auto source = make_body(response, attachment, range, std::move(reader));
    if (request.method == http::Method::get) CO_CHECK(co_await source->prefetch());
    response.source = std::move(source);
    co_return response;
}

Task<http::Response> send_file(Services& services,
                               http::Request& request,
                               std::string_view rest,
                               UrlKind kind) {
    const auto path = parse_path(rest);
    if (!path) {
        Error error;
        error.reason = &reasons::attachment_not_found;
        co_return xml_error(error, request.trace_id);
    }
    const auto found = co_await services.attachments.find_for_download(
        path->partner, path->attachment, std::string(path->form), kind);
    if (!found) co_return xml_error(found.error(), request.trace_id);

    const Attachment& attachment = found->attachment;
    const std::string etag = etag_of(*attachment.blob);
    const RangeRequest range = wanted_range(request, attachment.size_bytes, etag);
    if (range.kind == RangeRequest::Kind::unsatisfiable && !is_cached(request, etag)) {
        auto refused = xml_error(416, "InvalidRange", "The requested range is not satisfiable",
                                 request.trace_id);
        co_return std::move(
            refused.with("Content-Range", "bytes */" + std::to_string(attachment.size_bytes)));
    }
    const CacheLife caching = kind == UrlKind::is_signed
                                  ? CacheLife{}
                                  : CacheLife{Caches::edge, services.download_cache_life};
    auto served = co_await serve(services, request, *found, range, caching);
    if (!served) co_return xml_error(served.error(), request.trace_id);
    served->with("Accept-Ranges", "bytes");
    co_return std::move(*served);
}

// Each width that is made is kept: there are few.
std::uint32_t preview_width(std::uint32_t wanted) {
    static constexpr std::array<std::uint32_t, 22> widths{
        1,   2,   4,   8,   16,  32,   64,   96,   128,  160,  240,
        320, 480, 640, 800, 960, 1280, 1600, 1920, 2560, 3200, limits::preview_width_pixels_max};
    return *std::prev(std::ranges::upper_bound(widths, wanted));
}

}  // namespace

Task<http::Response> get_download(Services& services,
                                  http::Request& request,
                                  std::string_view rest) {
    if (auto refused = refuse_method(request)) co_return std::move(*refused);
    co_return co_await send_file(services, request, rest, UrlKind::permanent);
}

Task<http::Response> get_signed_download(Services& services,
                                         http::Request& request,
                                         std::string_view rest) {
    if (auto refused = refuse_method(request)) co_return std::move(*refused);
    if (auto refused = refuse_signature(services, request)) co_return std::move(*refused);
    co_return co_await send_file(services, request, rest, UrlKind::is_signed);
}

Async<http::Response> get_preview(Call call) {
    CO_TRY(const AttachmentId id, parse_id<AttachmentId>(call.id, "attachmentId"));
    CO_TRY(const auto width,
           query_number(call.request.query, "width", 1, limits::preview_width_pixels_max));
    CO_TRY(const Downloadable found,
           co_await call.services.attachments.find_preview(
               call.caller.partner, id,
               preview_width(width.value_or(limits::preview_width_pixels_default))));
    const bool is_ephemeral = found.attachment.tier == Tier::ephemeral;
    // Small enough to be had whole.
    const CacheLife caching =
        is_ephemeral ? CacheLife{} : CacheLife{Caches::own, call.services.download_cache_life};
    co_return co_await serve(call.services, call.request, found, RangeRequest{}, caching);
}

}  // namespace satchel::api
