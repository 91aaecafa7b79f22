// Other forms of attachments, for delivery and for previews (contract sections 2.6 and 10.6).
// Made once, kept encrypted under the attachment's key, reused ever after.
//
// Order of writes: bytes durable in the store, unconfirmed -> row, in one transaction that looks
// whether the attachment still has the content it was made from -> confirmed.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "blob/store.hpp"
#include "crypto/key_ring.hpp"
#include "media/converter.hpp"
#include "media/memory_budget.hpp"
#include "meta/attachments.hpp"
#include "meta/renditions.hpp"
#include "service/delivery_form.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <tuple>

namespace satchel {

// Whether there is time to convert. If not, a conversion counts as one that cannot be made now.
enum class MayConvert : bool { if_made, yes };

// Usable from every loop at once; the work is done on one. The log says why one was not made.
class RenditionService {
public:
    struct Parts {
        Loop& loop;  // That of `converter`. Serves no requests: whole files are moved on it.
        meta::Database& database;
        blob::Store& blobs;
        const crypto::KeyRing& keys;
        const Clock& clock;
        media::Converter& converter;
    };
    explicit RenditionService(Parts parts);

    // The rendition of a complete attachment, made if it is not there. Whoever asks for the same
    // meanwhile waits for it. Errors of media::Converter::convert(), Errc::timed_out if it may not
    // be made, and Errc::not_found if the attachment was deleted or replaced meanwhile.
    Async<meta::RenditionRow> get(meta::AttachmentRow source,
                                  WantedForm wanted,
                                  MayConvert may_convert = MayConvert::yes);
    // One of content whose row is not written yet. The caller inserts it and confirms its blob,
    // or removes the blob.
    Async<meta::RenditionRow> stage(meta::AttachmentRow source,
                                    WantedForm wanted,
                                    MayConvert may_convert = MayConvert::yes);

private:
    using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                             asio::wait_traits<std::chrono::steady_clock>,
                                             Loop::executor_type>;
    // One that is being made. The timer is cancelled when it is done.
    struct InProgress {
        explicit InProgress(Loop& loop)
            : done(loop.get_executor(), std::chrono::steady_clock::time_point::max()) {}
        Timer done;
        std::optional<Result<meta::RenditionRow>> result;
    };
    class Making;
    using Key = std::tuple<AttachmentId, BlobId, WantedForm>;

    // On the loop.
    Async<meta::RenditionRow> get_here(meta::AttachmentRow source, WantedForm wanted);
    Async<meta::RenditionRow> make(const meta::AttachmentRow& source, WantedForm wanted);
    Async<meta::RenditionRow> stage_here(meta::AttachmentRow source, WantedForm wanted);

    Async<media::Product> convert(media::Order order, WantedForm wanted);
    Async<Descriptor> load(const meta::AttachmentRow& source,
                           const crypto::Key& key,
                           media::MemoryBudget::Time until);
    Async<BlobId> store(const media::Product& product, const crypto::Key& key);
    Async<std::optional<meta::RenditionRow>> find(AttachmentId id, WantedForm wanted);

    Parts parts_;
    media::MemoryBudget inputs_;  // Of contents in clear, in memory.
    // One content is brought to memory at a time: then the first job begins soonest.
    media::MemoryBudget loads_;
    std::map<Key, std::shared_ptr<InProgress>> in_progress_;
};

}  // namespace satchel
