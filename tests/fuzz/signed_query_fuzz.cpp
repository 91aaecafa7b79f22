// Presigner::verify on anything a client may send. Input, line by line: method, path, query,
// then one "name:value" a header.
//
// Beyond not crashing: whatever is accepted was signed with our secret, so it stays accepted
// when verified again and is refused once its signature is changed.
#include "base/result.hpp"
#include "crypto/sigv4.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using satchel::crypto::sigv4::NamedValue;
using satchel::crypto::sigv4::Presigner;

std::string_view take_line(std::string_view& rest) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Presigner presigner({.access_key_id = "AKIAIOSFODNN7EXAMPLE",
                                      .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                                      .region = "us-east-1"});
    static constexpr std::array<std::string_view, 1> must_sign{"host"};
    static constexpr std::array<std::string_view, 1> may_be_unsigned{"x-amz-checksum-crc32"};
    const satchel::Time now =
        std::chrono::sys_days(std::chrono::year(2026) / 1 / 2) + std::chrono::hours(4);

    std::string_view rest(reinterpret_cast<const char*>(data), size);
    Presigner::Incoming request{};
    request.method = take_line(rest);
    request.path = take_line(rest);
    request.query = take_line(rest);
    std::vector<NamedValue> headers;
    while (!rest.empty()) {
        const std::string_view line = take_line(rest);
        const std::size_t colon = std::min(line.find(':'), line.size());
        headers.emplace_back(line.substr(0, colon), line.substr(std::min(colon + 1, line.size())));
    }
    request.headers = headers;

    const auto verdict = presigner.verify(request, must_sign, may_be_unsigned, now);
    ASSERT(presigner.verify(request, must_sign, may_be_unsigned, now) == verdict);
    if (verdict != Presigner::Verdict::ok) return 0;

    std::string forged(request.query);
    static constexpr std::string_view name = "X-Amz-Signature=";
    char& digit = forged[forged.find(name) + name.size()];
    digit = digit == '0' ? '1' : '0';
    request.query = forged;
    ASSERT(presigner.verify(request, must_sign, may_be_unsigned, now) ==
           Presigner::Verdict::signature_mismatch);
    return 0;
}
