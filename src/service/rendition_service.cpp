#include "service/rendition_service.hpp"

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/scheduling.hpp"
#include "base/transfer_buffer.hpp"
#include "media/memory_file.hpp"
#include "service/stored_content.hpp"

#include <boost/asio/as_tuple.hpp>

#include <algorithm>

namespace satchel {
namespace {

// Between two turns of the loop, and of others on its core.
constexpr std::uint64_t step_bytes = 2 * limits::frame_bytes;

// Who asked for what there cannot be, or deleted it meanwhile, is told so: no matter for a warning.
void log_failure(AttachmentId id, WantedForm wanted, const Error& why) {
    const bool is_expected = why.code == Errc::invalid_argument || why.code == Errc::not_found;
    const auto level = is_expected ? log::Level::info : log::Level::warn;
    log::write(level, "not_converted",
               {{"attachment_id", id.str()}, {"form", name_of(wanted)}, {"detail", why.detail}});
}

std::unexpected<Error> refuse_for_time(AttachmentId id, WantedForm wanted) {
    Error error = fail(Errc::timed_out, "there is no time left to convert").error();
    log_failure(id, wanted, error);
    return std::unexpected(std::move(error));
}

}  // namespace

// Whoever waits goes on when it ends, however it ends.
class RenditionService::Making {
public:
    Making(RenditionService& service, Key key)
        : service_(service),
          key_(std::move(key)),
          progress_(std::make_shared<InProgress>(service.parts_.loop)) {
        service_.in_progress_.emplace(key_, progress_);
    }
    ~Making() {
        if (!progress_->result) {
            progress_->result.emplace(fail(Errc::unavailable, "the conversion was cut off"));
        }
        service_.in_progress_.erase(key_);
        progress_->done.cancel();
    }
    Making(const Making&) = delete;
    Making& operator=(const Making&) = delete;

    InProgress& progress() const { return *progress_; }

private:
    RenditionService& service_;
    Key key_;
    std::shared_ptr<InProgress> progress_;
};

RenditionService::RenditionService(Parts parts)
    : parts_(parts), inputs_(limits::conversion_input_bytes_max), loads_(1) {}

Async<meta::RenditionRow> RenditionService::get(meta::AttachmentRow source,
                                                WantedForm wanted,
                                                MayConvert may_convert) {
    CO_TRY(auto found, co_await find(source.id, wanted));
    if (found) co_return std::move(*found);
    if (may_convert != MayConvert::yes) co_return refuse_for_time(source.id, wanted);
    co_return co_await run_on(parts_.loop, get_here(std::move(source), wanted));
}

Async<meta::RenditionRow> RenditionService::stage(meta::AttachmentRow source,
                                                  WantedForm wanted,
                                                  MayConvert may_convert) {
    const AttachmentId id = source.id;
    if (may_convert != MayConvert::yes) co_return refuse_for_time(id, wanted);
    auto made = co_await run_on(parts_.loop, stage_here(std::move(source), wanted));
    if (!made) log_failure(id, wanted, made.error());
    co_return made;
}

Async<std::optional<meta::RenditionRow>> RenditionService::find(AttachmentId id,
                                                                WantedForm wanted) {
    auto look = [id, wanted](meta::Session& session) {
        return meta::find_rendition(session, id, name_of(wanted), wanted.width);
    };
    co_return co_await parts_.database.read(look);
}

Async<meta::RenditionRow> RenditionService::get_here(meta::AttachmentRow source,
                                                     WantedForm wanted) {
    ASSERT(source.blob.has_value());
    const Key key{source.id, *source.blob, wanted};
    if (const auto running = in_progress_.find(key); running != in_progress_.end()) {
        const std::shared_ptr<InProgress> other = running->second;
        while (!other->result) co_await other->done.async_wait(asio::as_tuple(use_task));
        co_return *other->result;
    }
    const Making mine(*this, key);
    mine.progress().result = co_await make(source, wanted);
    if (!*mine.progress().result) log_failure(source.id, wanted, mine.progress().result->error());
    co_return *mine.progress().result;
}

Async<meta::RenditionRow> RenditionService::make(const meta::AttachmentRow& source,
                                                 WantedForm wanted) {
    // Somebody may have been faster than the look that brought us here.
    CO_TRY(auto found, co_await find(source.id, wanted));
    if (found) co_return std::move(*found);
    CO_TRY(meta::RenditionRow row, co_await stage_here(source, wanted));
    auto insert = [id = source.id, blob = *source.blob, row](meta::Session& session) {
        return meta::insert_rendition(session, id, blob, row);
    };
    const auto inserted = co_await parts_.database.write(std::move(insert));
    // A commit that failed may come back after a crash: start-up sees what became of it.
    if (!inserted) co_return std::unexpected(inserted.error());
    if (!*inserted) {
        ignore(co_await parts_.blobs.remove(row.blob), "start-up removes it too");
        co_return fail(Errc::not_found, "the attachment was deleted or replaced meanwhile");
    }
    ignore(co_await parts_.blobs.confirm(row.blob), "start-up confirms it too");
    co_return row;
}

Async<meta::RenditionRow> RenditionService::stage_here(meta::AttachmentRow source,
                                                       WantedForm wanted) {
    CO_TRY(const crypto::Key key,
           parts_.keys.unwrap(source.id, source.key_version, source.wrapped_key));
    // Held until the job is done: contents in clear are bounded, however many ask.
    const auto until = media::MemoryBudget::patience();
    CO_TRY(const auto reserved, co_await inputs_.reserve(source.size_bytes, until));
    media::Order order;
    order.form = wanted.form;
    order.source_type = source.detected_type.empty() ? source.content_type : source.detected_type;
    order.width = wanted.width;
    CO_TRY(order.input, co_await load(source, key, until));
    const auto began = std::chrono::steady_clock::now();
    CO_TRY(const media::Product product, co_await convert(std::move(order), wanted));
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
    log::info("converted", {{"attachment_id", source.id.str()},
                            {"form", name_of(wanted)},
                            {"bytes", source.size_bytes},
                            {"ms", took.count()}});
    meta::RenditionRow row;
    row.form = name_of(wanted);
    row.width = wanted.width;
    row.content_type = product.content_type;
    row.size_bytes = product.size_bytes;
    if (product.duration) row.duration_ms = product.duration->count();
    row.created_at = parts_.clock.now();
    CO_TRY(row.blob, co_await store(product, key));
    co_return row;
}

Async<media::Product> RenditionService::convert(media::Order order, WantedForm wanted) {
    CO_TRY(media::Product product, co_await parts_.converter.convert(std::move(order)));
    if (!wanted.without_metadata) co_return product;
    media::Order strip;
    strip.form = media::Form::stripped;
    strip.source_type = product.content_type;
    strip.input = std::move(product.bytes);
    co_return co_await parts_.converter.convert(std::move(strip));
}

// The content in clear: in memory, never in a file.
Async<Descriptor> RenditionService::load(const meta::AttachmentRow& source,
                                         const crypto::Key& key,
                                         media::MemoryBudget::Time until) {
    CO_TRY(auto reader, co_await parts_.blobs.open(
                            *source.blob, crypto::blob_key(key, *source.blob), source.size_bytes));
    CO_TRY(const auto turn, co_await loads_.reserve(1, until));
    CO_TRY(Descriptor file, media::make_memory_file("satchel-input"));
    TransferBuffer buffer;
    for (std::uint64_t offset = 0; offset < source.size_bytes;) {
        CO_TRY(const blob::Batch batch,
               co_await reader->read(offset, std::min(source.size_bytes - offset, step_bytes),
                                     buffer.bytes()));
        for (const ByteView piece : std::span(batch.pieces).first(batch.count)) {
            CO_CHECK(media::append(file, piece));
        }
        offset += batch.bytes;
        give_way();
        co_await yield();
    }
    CO_CHECK(media::seal(file));
    co_return file;
}

Async<BlobId> RenditionService::store(const media::Product& product, const crypto::Key& key) {
    const BlobId blob = BlobId::random();
    CO_TRY(auto writer, co_await parts_.blobs.create(blob, crypto::blob_key(key, blob)));
    TransferBuffer buffer;
    for (std::uint64_t offset = 0; offset < product.size_bytes;) {
        const auto want = std::min(product.size_bytes - offset, step_bytes);
        const auto piece = buffer.bytes().first(static_cast<std::size_t>(want));
        CO_TRY(const std::size_t filled, media::read_at(product.bytes, piece, offset));
        if (filled < piece.size()) co_return fail(Errc::corrupt, "a conversion's output is short");
        offset += filled;
        const auto last = offset == product.size_bytes ? blob::Last::yes : blob::Last::no;
        CO_CHECK(co_await writer->append(piece, last));
        give_way();
    }
    CO_CHECK(co_await writer->commit());
    co_return blob;
}

}  // namespace satchel
