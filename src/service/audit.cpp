#include "service/audit.hpp"

#include "base/limits.hpp"
#include "crypto/audit_cut.hpp"
#include "meta/audit.hpp"
#include "meta/audit_cut.hpp"

namespace satchel {
namespace {

std::unexpected<Error> broken(std::string message) {
    return std::unexpected(Error{Errc::corrupt, nullptr, message, message});
}

Result<const crypto::AuditSigner*> signer_of(meta::Session& session) {
    const crypto::AuditSigner* const signer = session.audit_signer();
    if (signer == nullptr) {
        return broken("the key of this database is gone, and with it whatever its audit can prove");
    }
    return signer;
}

constexpr const char* no_signed_end = "the signed end of the audit is gone or was changed";

// The row of the chain, if it is what this database's key has signed.
Result<meta::AuditChainRow> signed_chain(meta::Session& session) {
    TRY(const crypto::AuditSigner* const signer, signer_of(session));
    const auto chain = meta::find_audit_chain(session);
    if (!chain && chain.error().code != Errc::corrupt) return std::unexpected(chain.error());
    if (!chain || !*chain ||
        !crypto::is_signed_end(signer->key(), (*chain)->end, (*chain)->signature)) {
        return broken(no_signed_end);
    }
    return **chain;
}

// What the first entry follows: the origin, or the cut, if that is signed.
Result<AuditPosition> signed_start(meta::Session& session, const AuditOrigin& origin) {
    TRY(const crypto::AuditSigner* const signer, signer_of(session));
    const auto cut = meta::find_audit_cut(session);
    if (!cut && cut.error().code != Errc::corrupt) return std::unexpected(cut.error());
    if (cut && !*cut) return AuditPosition{0, crypto::origin_hash(signer->key(), origin)};
    if (!cut || !crypto::is_signed_cut(signer->key(), (*cut)->position, (*cut)->cut_at,
                                       (*cut)->signature)) {
        return broken("where the audit was cut is not what was signed");
    }
    return (*cut)->position;
}

// One step of the walk, in one view of the database.
struct Page {
    std::vector<AuditLink> links;
    std::optional<meta::AuditChainRow> chain;  // Absent: not signed.
    std::optional<AuditPosition> start;        // Absent: not signed.
    AuditKey key{};
    bool is_damaged = false;  // The first row cannot be read.
};

Result<Page> read_page(meta::Session& session, std::uint64_t after) {
    Page page;
    TRY(const crypto::AuditSigner* const signer, signer_of(session));
    page.key = signer->key();
    auto chain = signed_chain(session);
    if (!chain && chain.error().code != Errc::corrupt) {
        return std::unexpected(std::move(chain).error());
    }
    if (chain) {
        page.chain = *chain;
        auto start = signed_start(session, chain->origin);
        if (!start && start.error().code != Errc::corrupt) {
            return std::unexpected(std::move(start).error());
        }
        if (start) page.start = *start;
    }
    auto links = meta::audit_after(session, after, limits::audit_page_max);
    // One by one up to the row that is damaged.
    if (!links && links.error().code == Errc::corrupt) {
        links = meta::audit_after(session, after, 1);
        page.is_damaged = !links && links.error().code == Errc::corrupt;
        if (page.is_damaged) return page;
    }
    if (!links) return std::unexpected(std::move(links).error());
    page.links = *std::move(links);
    return page;
}

class Verification {
public:
    Verification(meta::Database& database, AuditAnchors anchors)
        : database_(database), anchors_(std::move(anchors)) {}

    // Looks for the last entry about `attachment` on the way.
    void look_for(AttachmentId attachment) { wanted_ = attachment; }

    Async<AuditVerdict> run();

    struct Found {
        AuditLink link;
        AuditHash previous;
    };
    const std::optional<Found>& found() const { return found_; }

private:
    // False: there is no more to read.
    bool take(const Page& page);
    void follow(const std::vector<AuditLink>& links);

    meta::Database& database_;
    AuditAnchors anchors_;
    std::optional<AttachmentId> wanted_;
    std::optional<Found> found_;
    std::optional<crypto::AuditWalk> walk_;
    AuditVerdict verdict_;
};

Async<AuditVerdict> Verification::run() {
    std::uint64_t after = 0;
    while (true) {
        CO_TRY(const Page page, co_await database_.read([after](meta::Session& session) {
            return read_page(session, after);
        }));
        if (!take(page)) break;
        after = page.links.back().seq;
        co_await yield();
    }
    if (walk_) verdict_.end = walk_->at();
    if (walk_ && walk_->problem()) verdict_.problem = walk_->problem();
    co_return verdict_;
}

bool Verification::take(const Page& page) {
    verdict_.key = page.key;
    if (!page.chain) {
        verdict_.problem = no_signed_end;
        return false;
    }
    if (!page.start) {
        verdict_.problem = "where the audit was cut is not what was signed";
        return false;
    }
    // A server that runs may have cut it further meanwhile.
    if (!walk_ || (page.start->seq > walk_->at().seq && !walk_->problem())) {
        verdict_.origin = page.chain->origin;
        verdict_.start = *page.start;
        walk_.emplace(*page.start, anchors_);
    }
    if (page.is_damaged) {
        verdict_.problem = "entry " + std::to_string(walk_->at().seq + 1) + " cannot be read";
        return false;
    }
    follow(page.links);
    if (page.links.empty()) walk_->finish(page.chain->end);
    return !page.links.empty() && !walk_->problem();
}

void Verification::follow(const std::vector<AuditLink>& links) {
    for (const AuditLink& link : links) {
        const AuditHash previous = walk_->at().hash;
        walk_->step(link);
        if (walk_->problem()) return;
        if (wanted_ && link.entry.attachment == *wanted_) found_ = Found{link, previous};
    }
}

}  // namespace

Async<AuditVerdict> verify_audit(meta::Database& database, AuditAnchors anchors) {
    Verification verification(database, std::move(anchors));
    co_return co_await verification.run();
}

Async<AuditStart> audit_start(meta::Database& database) {
    co_return co_await database.read([](meta::Session& session) -> Result<AuditStart> {
        TRY(const meta::AuditChainRow chain, signed_chain(session));
        TRY(const AuditPosition start, signed_start(session, chain.origin));
        AuditStart out{start, session.audit_signer()->key(), {}};
        if (start.seq == 0) out.origin = chain.origin;
        return out;
    });
}

Async<AuditHead> sign_audit_head(meta::Database& database, Time now) {
    co_return co_await database.read([now](meta::Session& session) -> Result<AuditHead> {
        TRY(const meta::AuditChainRow chain, signed_chain(session));
        return session.audit_signer()->head(chain.end, now);
    });
}

Async<std::vector<AuditLink>> audit_page(meta::Database& database, std::uint64_t after) {
    co_return co_await database.read([after](meta::Session& session) {
        return meta::audit_after(session, after, limits::audit_page_max);
    });
}

Async<AuditReceipt> sign_audit_receipt(meta::Database& database,
                                       AttachmentId attachment,
                                       Time now) {
    Verification verification(database, {});
    verification.look_for(attachment);
    CO_TRY(const AuditVerdict verdict, co_await verification.run());
    if (verdict.problem) {
        co_return broken("the audit is broken, so nothing is signed: " + *verdict.problem);
    }
    if (!verification.found()) {
        Error error;
        error.code = Errc::not_found;
        error.message = "the audit has no entry about attachment " + attachment.str();
        co_return std::unexpected(std::move(error));
    }
    const auto found = *verification.found();
    const AuditPosition end = verdict.end;
    auto sign = [found, end, now](meta::Session& session) -> Result<AuditReceipt> {
        TRY(const crypto::AuditSigner* const signer, signer_of(session));
        return signer->receipt(found.link, found.previous, end, now);
    };
    co_return co_await database.read(sign);
}

}  // namespace satchel
