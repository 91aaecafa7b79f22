#include "service/content_inspector.hpp"

#include "base/log.hpp"
#include "model/api_errors.hpp"
#include "service/stored_content.hpp"

namespace satchel {

Async<Findings> ContentInspector::inspect(BlobId blob,
                                          const crypto::Key& blob_key,
                                          std::uint64_t size) {
    CO_TRY(auto reader, co_await parts_.blobs.open(blob, blob_key, size));
    StoredContent content(std::move(reader), size);
    Findings findings;
    CO_TRY(findings.detected, co_await media::detect(content));
    if (parts_.scanner != nullptr) CO_CHECK(co_await scan(content, findings));
    co_return findings;
}

Async<> ContentInspector::scan(media::Content& content, Findings& findings) {
    auto scanned = co_await parts_.scanner->scan(content);
    if (scanned) {
        findings.infection = std::move(*scanned);
        if (findings.infection) ++infected_;
        co_return Result<>{};
    }
    const Errc code = scanned.error().code;
    if (code != Errc::unavailable && code != Errc::timed_out) {
        co_return std::unexpected(std::move(scanned).error());
    }
    ++unscanned_;
    log::error("scanner_unavailable", {{"detail", scanned.error().detail}});
    if (parts_.without_scanner == WithoutScanner::refuse) {
        co_return fail(reasons::overloaded, "Files cannot be scanned just now. Try again later");
    }
    findings.is_unscanned = true;
    co_return Result<>{};
}

}  // namespace satchel
