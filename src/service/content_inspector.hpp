// Looks at content that is stored and that nothing refers to yet: what it is by its bytes, and
// whether a scanner objects to it.
#pragma once

#include "base/async.hpp"
#include "blob/store.hpp"
#include "media/detect.hpp"
#include "media/scanner.hpp"

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

namespace satchel {

// What becomes of content while the scanner cannot be asked.
enum class WithoutScanner : std::uint8_t {
    refuse,  // Nothing is taken: errors say to try again.
    accept,  // It is taken and marked.
};

struct Findings {
    media::Detected detected;
    std::optional<std::string> infection;  // Its name.
    bool is_unscanned = false;             // There is a scanner, and it could not be asked.
};

// Usable from every loop at once.
class ContentInspector {
public:
    struct Parts {
        blob::Store& blobs;
        media::Scanner* scanner = nullptr;  // Null: nothing is scanned.
        WithoutScanner without_scanner = WithoutScanner::refuse;
    };
    explicit ContentInspector(Parts parts) : parts_(parts) {}

    // reasons::overloaded if the scanner is needed and cannot be asked; else the store's errors.
    Async<Findings> inspect(BlobId blob, const crypto::Key& blob_key, std::uint64_t size);

    struct Totals {
        std::uint64_t infected = 0;
        std::uint64_t unscanned = 0;  // Taken or refused because the scanner could not be asked.
    };
    Totals totals() const { return {infected_.load(), unscanned_.load()}; }

private:
    Async<> scan(media::Content& content, Findings& findings);

    Parts parts_;
    std::atomic<std::uint64_t> infected_{0};
    std::atomic<std::uint64_t> unscanned_{0};
};

}  // namespace satchel
