// What left the audit and lies in files: exports, heads, receipts. No store, no key is needed.
#pragma once

#include "base/result.hpp"
#include "crypto/audit_chain.hpp"
#include "model/audit_json.hpp"
#include "service/audit.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace satchel::app {

// Verifies start, entries and head, in this order.
class ExportCheck {
public:
    ExportCheck(const AuditStart& start, AuditAnchors anchors);

    void take(const AuditLink& link) { walk_.step(link); }
    std::uint64_t at() const { return walk_.at().seq; }
    bool is_over() const { return walk_.problem().has_value(); }
    AuditVerdict finish(const AuditHead& head);
    // There is no head to finish with. `why` counts unless something was wrong before.
    AuditVerdict give_up(std::string why) const;

private:
    AuditVerdict verdict() const;

    AuditStart start_;
    crypto::AuditWalk walk_;
};

// Called with what an export holds while it is read, before it is known to be true.
struct ExportVisitor {
    std::function<void(const AuditStart&)> start;
    std::function<void(const AuditLink&)> link;
    std::function<void(const AuditHead&)> head;
};

// Reads a whole export. The error's `message` is one line for the operator: no such file, or no
// export at all; everything else is in the verdict.
struct VerifiedExport {
    AuditVerdict verdict;
    std::uint64_t entries = 0;
};
Result<VerifiedExport> verify_export(const std::filesystem::path& file,
                                     AuditAnchors anchors,
                                     const ExportVisitor& visitor = {});

// What a receipt says, once its signature is right; Errc::corrupt if it is not.
Result<AuditReceipt> verify_receipt(const std::filesystem::path& file);

// Every head and receipt in a file, one a line, each with a right signature and all with one key;
// other lines are passed over.
struct KeptPositions {
    AuditAnchors anchors;
    AuditKey key{};
};
Result<KeptPositions> read_positions(const std::filesystem::path& file);

}  // namespace satchel::app
