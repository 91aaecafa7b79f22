#include "service/audit_retention.hpp"

#include "base/limits.hpp"
#include "crypto/audit_cut.hpp"
#include "meta/audit.hpp"
#include "meta/audit_cut.hpp"

namespace satchel {
namespace {

std::unexpected<Error> refused(const std::string& why) {
    return fail(Errc::corrupt, "the audit is not cut: " + why + "; see satchel audit verify");
}

// Where the entries that are there begin, if that and their end are signed.
Result<AuditPosition> signed_start(meta::Session& session, const meta::AuditChainRow& chain) {
    const crypto::AuditSigner& signer = *session.audit_signer();
    TRY(const auto cut, meta::find_audit_cut(session));
    if (!cut) return AuditPosition{0, crypto::origin_hash(signer.key(), chain.origin)};
    if (!crypto::is_signed_cut(signer.key(), cut->position, cut->cut_at, cut->signature)) {
        return refused("its last cut was changed");
    }
    return cut->position;
}

Result<std::size_t> cut_some(meta::Session& session, Time before, Time now) {
    if (session.audit_signer() == nullptr) return refused("its key is gone");
    TRY(const auto chain, meta::find_audit_chain(session));
    if (!chain ||
        !crypto::is_signed_end(session.audit_signer()->key(), chain->end, chain->signature)) {
        return refused("its end was changed");
    }
    TRY(AuditPosition at, signed_start(session, *chain));
    TRY(const auto links, meta::audit_after(session, at.seq, limits::audit_cut_batch_max));
    std::size_t due = 0;
    for (const AuditLink& link : links) {
        if (link.entry.at >= before || link.seq >= chain->end.seq) break;
        if (link.seq != at.seq + 1 ||
            crypto::entry_hash(at.hash, link.seq, link.entry) != link.hash) {
            return refused("entry " + std::to_string(at.seq + 1) + " is not what it was");
        }
        at = {link.seq, link.hash};
        ++due;
    }
    if (due > 0) CHECK(meta::cut_audit(session, at, now));
    return due;
}

}  // namespace

Async<std::size_t> cut_audit(meta::Database& database, Time before, Time now) {
    auto look = [](meta::Session& session) { return meta::oldest_audit_entry(session); };
    CO_TRY(const auto oldest, co_await database.read(look));
    if (!oldest || *oldest >= before) co_return std::size_t{0};
    auto cut = [before, now](meta::Session& session) { return cut_some(session, before, now); };
    co_return co_await database.write(cut);
}

}  // namespace satchel
