#include "api/uploads.hpp"

#include "api/error_response.hpp"
#include "base/bytes.hpp"
#include "base/transfer_buffer.hpp"
#include "http/head.hpp"

#include <array>

namespace satchel::api {
namespace {

using crypto::DigestKind;
using Verdict = crypto::sigv4::Presigner::Verdict;

struct ChecksumHeader {
    std::string_view name;
    DigestKind kind;
    std::size_t bytes;
};
constexpr std::array checksum_headers{
    ChecksumHeader{"x-amz-checksum-sha256", DigestKind::sha256, 32},
    ChecksumHeader{"x-amz-checksum-crc32c", DigestKind::crc32c, 4},
    ChecksumHeader{"x-amz-checksum-crc32", DigestKind::crc32, 4},
    ChecksumHeader{"content-md5", DigestKind::md5, 16},
};

constexpr std::array<std::string_view, 3> must_sign{"content-length", "content-type", "host"};
// They can only make us refuse more.
constexpr std::array<std::string_view, 3> may_be_unsigned{
    "x-amz-checksum-sha256", "x-amz-checksum-crc32c", "x-amz-checksum-crc32"};

// What a presigned URL may carry; anything else asks for something we do not do. Checksums there
// are known but not judged: the AWS SDK puts that of an empty body into the URLs it makes.
bool is_known_parameter(std::string_view name) {
    static constexpr std::array<std::string_view, 13> known{"X-Amz-Algorithm",
                                                            "X-Amz-Credential",
                                                            "X-Amz-Date",
                                                            "X-Amz-Expires",
                                                            "X-Amz-SignedHeaders",
                                                            "X-Amz-Signature",
                                                            "X-Amz-Content-Sha256",
                                                            "x-id",
                                                            "x-amz-sdk-checksum-algorithm",
                                                            "x-amz-checksum-sha256",
                                                            "x-amz-checksum-crc32c",
                                                            "x-amz-checksum-crc32",
                                                            "Content-MD5"};
    return std::ranges::find(known, name) != known.end();
}

bool has_unknown_parameter(std::string_view query) {
    while (!query.empty()) {
        const auto end = query.find('&');
        const std::string_view parameter = query.substr(0, end);
        if (!is_known_parameter(parameter.substr(0, parameter.find('=')))) return true;
        query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    }
    return false;
}

// A refusal by S3's name. `message` tells the client's developer what to do.
struct Refusal {
    int status;
    std::string_view code;
    std::string_view message;
};

const Refusal signature_mismatch{403, "SignatureDoesNotMatch",
                                 "The request signature does not match. Send the PUT with exactly "
                                 "the URL and the required_headers that you were given."};

std::optional<Refusal> refusal_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::ok:
            return std::nullopt;
        case Verdict::malformed:
            return Refusal{400, "AuthorizationQueryParametersError",
                           "The signature parameters in the query are missing or malformed."};
        case Verdict::signature_mismatch:
            return signature_mismatch;
        case Verdict::not_yet_valid:
            return Refusal{403, "AccessDenied", "Request is not valid yet"};
        case Verdict::expired:
            return Refusal{403, "AccessDenied", "Request has expired"};
    }
    return signature_mismatch;
}

std::optional<Refusal> check_request(Services& services, const http::Request& request) {
    if (request.query.empty()) return Refusal{403, "AccessDenied", "Access Denied"};
    if (request.method == http::Method::put && !request.content_length) {
        return Refusal{411, "MissingContentLength",
                       "You must provide the Content-Length HTTP header."};
    }
    const crypto::sigv4::Presigner::Incoming incoming{request.method_text, request.path,
                                                      request.query, request.headers};
    const Verdict verdict =
        services.presigner.verify(incoming, must_sign, may_be_unsigned, services.clock.now());
    if (auto refusal = refusal_of(verdict)) return refusal;
    // A signature for another method than PUT was never ours to give.
    if (has_unknown_parameter(request.query) || request.method != http::Method::put) {
        return signature_mismatch;
    }
    return std::nullopt;
}

// The digests announced in headers. nullopt: one is no digest at all, or is there twice.
std::optional<std::vector<std::pair<DigestKind, Bytes>>> expected_digests(
    const http::Request& request) {
    std::vector<std::pair<DigestKind, Bytes>> expected;
    for (const auto& [name, value] : request.headers) {
        for (const ChecksumHeader& checksum : checksum_headers) {
            if (!http::equal_ignoring_case(name, checksum.name)) continue;
            auto digest = from_base64(value);
            if (!digest || digest->size() != checksum.bytes) return std::nullopt;
            const auto same_kind = [&checksum](const auto& one) {
                return one.first == checksum.kind;
            };
            if (std::ranges::any_of(expected, same_kind)) return std::nullopt;
            expected.emplace_back(checksum.kind, std::move(*digest));
        }
    }
    return expected;
}

http::Response refused(const Refusal& refusal, std::string_view trace_id) {
    return xml_error(refusal.status, refusal.code, refusal.message, trace_id);
}

http::Response refused(UploadRefusal why, std::string_view trace_id) {
    switch (why) {
        case UploadRefusal::no_such_upload:
            return xml_error(404, "NoSuchKey", "The specified key does not exist.", trace_id);
        case UploadRefusal::already_sent:
            return xml_error(403, "AccessDenied",
                             "A message refers to this attachment, so its content is fixed. Ask "
                             "for a new upload.",
                             trace_id);
        case UploadRefusal::over_quota:
            return xml_error(403, "QuotaExceeded",
                             "The account's quota is used up. Delete attachments, then ask for a "
                             "new upload.",
                             trace_id);
        case UploadRefusal::bad_digest:
            return xml_error(400, "BadDigest",
                             "The checksum you specified did not match what we received.",
                             trace_id);
        case UploadRefusal::stalled: {
            auto response = xml_error(400, "RequestTimeout",
                                      "The body stopped arriving. Send it again.", trace_id);
            response.close = true;
            return response;
        }
        case UploadRefusal::incomplete_body:
        case UploadRefusal::none:
            break;
    }
    auto response =
        xml_error(400, "IncompleteBody",
                  "You did not provide the number of bytes specified by Content-Length.", trace_id);
    response.close = true;
    return response;
}

}  // namespace

Task<http::Response> put_upload(Services& services,
                                http::Request& request,
                                std::string_view id_text) {
    if (const auto refusal = check_request(services, request)) {
        co_return refused(*refusal, request.trace_id);
    }
    const auto id = AttachmentId::parse(id_text);
    if (!id) co_return refused(UploadRefusal::no_such_upload, request.trace_id);
    if (TransferBuffer::all_taken()) co_return busy(request.trace_id);
    auto digests = expected_digests(request);
    if (!digests) {
        co_return xml_error(
            400, "InvalidDigest",
            "A checksum header is repeated or not the base64 form of such a checksum.",
            request.trace_id);
    }
    // What Content-Type and Content-Length must be is in the signature.
    StoreUpload command{*id, request.content_length.value_or(0), std::move(*digests)};
    UploadRefusal refusal = UploadRefusal::none;
    const auto stored =
        co_await services.attachments.store(std::move(command), *request.body, refusal);
    if (refusal != UploadRefusal::none) co_return refused(refusal, request.trace_id);
    if (!stored) co_return xml_error(stored.error(), request.trace_id);
    http::Response response;
    response.with("ETag", stored->etag);
    co_return response;
}

}  // namespace satchel::api
