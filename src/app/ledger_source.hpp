// What was deleted after a backup was made: the entries of a deletion audit behind the backup's.
#pragma once

#include "app/admin_client.hpp"
#include "base/result.hpp"
#include "model/audit.hpp"

#include <filesystem>
#include <vector>

namespace satchel::app {

// Where a backup's audit ends, and whose it is.
struct LedgerBase {
    AuditKey key{};
    AuditPosition end;
};

struct Ledger {
    std::vector<AuditLink> links;  // Behind the base, in order.
    Time issued_at{};              // It knows every deletion of before this.
};

// Both verify the whole of what they read. Errors have a line for the operator: Errc::not_found
// (no such file or store), Errc::corrupt (it is broken, of another store, or does not lead on from
// the base).
Result<Ledger> read_ledger_file(const std::filesystem::path& file, const LedgerBase& base);
Result<Ledger> read_ledger_store(const ServerChoice& choice, const LedgerBase& base);

// The longer of two; Errc::corrupt if the shorter is not its beginning.
Result<Ledger> join(Ledger one, Ledger other);

}  // namespace satchel::app
