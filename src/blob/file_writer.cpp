#include "blob/file_writer.hpp"

#include "base/log.hpp"
#include "blob/file_format.hpp"

#include <array>

namespace satchel::blob {
namespace {

// Write-back starts while the rest still arrives, so that commit() has little to wait for.
constexpr std::uint64_t writeback_bytes = 8 * limits::MiB;

iovec piece(std::span<std::byte> bytes) {
    return {bytes.data(), bytes.size()};
}

// What is left of `pieces` when `count` bytes are written.
std::span<iovec> drop_front(std::span<iovec> pieces, std::size_t count) {
    while (!pieces.empty() && count >= pieces.front().iov_len) {
        count -= pieces.front().iov_len;
        pieces = pieces.subspan(1);
    }
    if (count > 0) {
        iovec& first = pieces.front();
        first = {static_cast<std::byte*>(first.iov_base) + count, first.iov_len - count};
    }
    return pieces;
}

}  // namespace

FileWriter::FileWriter(Disk& disk,
                       BlockingPool& pool,
                       const FileLayout& layout,
                       UncommittedBlobs& uncommitted,
                       BlobId id,
                       const crypto::Key& key)
    : disk_(disk), pool_(pool), layout_(layout), uncommitted_(uncommitted), id_(id), cipher_(key) {}

FileWriter::~FileWriter() {
    if (state_ == State::committed) return;
    if (file_) {
        auto removed = disk_.unlink(layout_.incoming(id_));
        if (!removed && removed.error().code != Errc::not_found) {
            // It stays uncommitted, which hides it; unconfirmed() finds it at the next start.
            log::warn("uncommitted_blob_not_removed",
                      {{"blob", id_.str()}, {"reason", removed.error().detail}});
            return;
        }
    }
    uncommitted_.remove(id_);
}

Async<> FileWriter::append(std::span<std::byte> bytes, Last last) {
    ASSERT(!bytes.empty() && bytes.size() <= limits::transfer_buffer_bytes);
    ASSERT(last == Last::yes || bytes.size() % limits::frame_bytes == 0);
    ASSERT(state_ == State::writing || state_ == State::failed);
    return run_blocking(pool_, [this, bytes, last] {
        auto stored = store_frames(bytes, last);
        if (!stored) state_ = State::failed;
        return stored;
    });
}

Async<> FileWriter::commit() {
    ASSERT(state_ == State::complete || state_ == State::failed);
    return run_blocking(pool_, [this] {
        auto durable = make_durable();
        if (!durable) state_ = State::failed;
        return durable;
    });
}

Result<> FileWriter::store_frames(std::span<std::byte> bytes, Last last) {
    if (state_ == State::failed) return fail(Errc::unavailable, "an earlier write failed");

    Header header;
    std::array<std::array<std::byte, crypto::tag_bytes>, limits::frames_per_batch> tags;
    std::array<iovec, 1 + 2 * limits::frames_per_batch> pieces;
    std::size_t count = 0;
    if (!file_) {
        TRY(file_, disk_.create(layout_.incoming(id_)));
        header = make_header(id_);
        pieces[count++] = piece(header);
    }
    for (std::size_t i = 0; !bytes.empty(); ++i) {
        const auto text = bytes.first(std::min(limits::frame_bytes, bytes.size()));
        bytes = bytes.subspan(text.size());
        const Last is_last = bytes.empty() ? last : Last::no;
        cipher_.seal(next_frame_++, is_last, text, tags[i]);
        pieces[count++] = piece(text);
        pieces[count++] = piece(tags[i]);
    }
    CHECK(write_all(std::span(pieces).first(count)));

    if (position_ - handed_to_kernel_ >= writeback_bytes) {
        CHECK(disk_.start_writeback(file_, handed_to_kernel_, position_ - handed_to_kernel_));
        handed_to_kernel_ = position_;
    }
    if (last == Last::yes) state_ = State::complete;
    return {};
}

Result<> FileWriter::write_all(std::span<iovec> pieces) {
    while (!pieces.empty()) {
        TRY(const std::size_t written, disk_.write(file_, pieces, position_));
        position_ += written;
        pieces = drop_front(pieces, written);
    }
    return {};
}

Result<> FileWriter::make_durable() {
    if (state_ == State::failed) return fail(Errc::unavailable, "an earlier write failed");
    CHECK(disk_.sync_data(file_));
    CHECK(disk_.sync_folder(layout_.incoming_folder()));
    file_ = File();
    state_ = State::committed;
    uncommitted_.remove(id_);
    return {};
}

}  // namespace satchel::blob
