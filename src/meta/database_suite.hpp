// What every engine under meta::Database must do. The rules are the TEST_P(DatabaseSuite, ...)
// beside the code; an engine joins with INSTANTIATE_TEST_SUITE_P and a factory, once for each of
// DatabaseSuite, AttachmentsSuite and PartnersSuite.
#pragma once

#include "crypto/audit_chain.hpp"
#include "meta/attachments.hpp"
#include "meta/database.hpp"
#include "meta/partners.hpp"

#include <boost/asio/co_spawn.hpp>

#include <gtest/gtest.h>

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <vector>

namespace satchel::meta {

// One store of metadata, empty at first and gone with this object.
class Engine {
public:
    virtual ~Engine() = default;
    // The same store each time. The Database before it was destroyed.
    virtual Result<std::unique_ptr<Database>> open() = 0;
};

struct EngineFactory {
    std::string name;
    std::function<std::unique_ptr<Engine>()> make;
};

inline void PrintTo(const EngineFactory& factory, std::ostream* out) {
    *out << factory.name;
}

// Runs coroutines to their end on one loop.
class Waiter {
public:
    template <class T>
    void start(Async<T> async, std::optional<Result<T>>& result) {
        asio::co_spawn(loop_, std::move(async), [&result](std::exception_ptr thrown, Result<T> r) {
            if (thrown) std::rethrow_exception(thrown);
            result = std::move(r);
        });
    }
    void run() {
        loop_.restart();
        loop_.run();
    }
    template <class T>
    Result<T> wait(Async<T> async) {
        std::optional<Result<T>> result;
        start(std::move(async), result);
        run();
        return *std::move(result);
    }

private:
    Loop loop_;
};

// Holds the writer inside a write until release() so that others have to queue.
class Gate {
public:
    auto work() {
        return [this](Session&) -> Result<> {
            open_.acquire();
            return {};
        };
    }
    // Opens when the coroutines started before this one have queued their writes.
    static Async<> release(Gate& gate) {
        gate.open_.release();
        co_return Result<>{};
    }

private:
    std::binary_semaphore open_{0};
};

inline const Time noon =
    Time{std::chrono::sys_days{std::chrono::year{2026} / 5 / 4}} + std::chrono::hours{12};

inline Bytes some_bytes(std::string_view text) {
    const ByteView view = as_bytes(text);
    return {view.begin(), view.end()};
}

inline AttachmentRow pending_row(PartnerId partner = PartnerId::random()) {
    AttachmentRow row;
    row.id = AttachmentId::random();
    row.partner = partner;
    row.wrapped_key = some_bytes("a wrapped key of forty-eight bytes, no more, no.");
    row.key_version = 3;
    row.sealed_name = some_bytes(std::string_view("\0sealed\xff", 8));
    row.content_type = "image/jpeg";
    row.size_bytes = 123'456;
    row.tier = Tier::persistent;
    row.created_at = noon;
    row.upload_expires_at = noon + std::chrono::minutes{15};
    row.sweep_at = row.upload_expires_at;
    return row;
}

class DatabaseSuite : public testing::TestWithParam<EngineFactory> {
public:
    void close() { database_.reset(); }

protected:
    void SetUp() override { reopen(); }

    void reopen() {
        database_.reset();
        auto opened = engine_->open();
        ASSERT_TRUE(opened) << opened.error().message;
        database_ = *std::move(opened);
    }

    template <class Work>
    auto read(Work work) {
        return waiter_.wait(database_->read(std::move(work)));
    }
    template <class Work>
    auto write(Work work, Erases erases = Erases::no) {
        return waiter_.wait(database_->write(std::move(work), erases));
    }

    Result<> insert(const AttachmentRow& row) {
        return write([row](Session& s) { return insert_attachment(s, row); });
    }
    std::optional<AttachmentRow> find(AttachmentId id) {
        return read([id](Session& s) { return find_stored_attachment(s, id); }).value();
    }

    std::unique_ptr<Engine> engine_ = GetParam().make();
    std::unique_ptr<Database> database_;
    Waiter waiter_;
};

inline AuditEntry deletion_of(const AttachmentRow& row) {
    return {.at = noon + std::chrono::hours{1},
            .partner = row.partner,
            .attachment = row.id,
            .cause = "delete",
            .actor = "key:7"};
}

// What is wrong with the chain of a database, as a walk over it finds.
inline std::string audit_problem_in(Session& session) {
    const auto chain = find_audit_chain(session);
    if (!chain || !*chain) return "no end";
    const AuditKey key = session.audit_signer()->key();
    if (!crypto::is_signed_end(key, (*chain)->end, (*chain)->signature)) return "end not signed";
    crypto::AuditWalk walk({0, crypto::origin_hash(key, (*chain)->origin)}, {});
    const auto links = audit_after(session, 0, 10'000);
    if (!links) return "cannot be read";
    for (const AuditLink& link : *links) walk.step(link);
    walk.finish((*chain)->end);
    return walk.problem().value_or("");
}

class AttachmentsSuite : public DatabaseSuite {
protected:
    struct Stored {
        UploadStored outcome{};
        std::vector<BlobId> replaced;
        bool is_stored() const { return outcome == UploadStored::yes; }
    };
    Stored store(StoredUpload upload) {
        return write([upload](Session& s) -> Result<Stored> {
                   Stored out;
                   TRY(out.outcome, store_upload(s, upload, out.replaced));
                   return out;
               })
            .value();
    }
    BlobId complete(AttachmentId id) {
        const BlobId blob = BlobId::random();
        EXPECT_TRUE(
            store({.id = id, .state = AttachmentState::complete, .blob = blob}).is_stored());
        return blob;
    }
    Result<std::optional<Removed>> remove(const AuditEntry& entry) {
        return write([entry](Session& s) { return remove_attachment(s, entry); }, Erases::yes);
    }
    std::vector<BlobId> removals() {
        std::vector<BlobId> blobs;
        const auto found = read([](Session& s) { return pending_blob_removals(s, 100); });
        for (const BlobRemoval& removal : found.value()) blobs.push_back(removal.blob);
        return blobs;
    }
    std::vector<AuditLink> audit(std::uint64_t after = 0, std::size_t max = 100) {
        return read([=](Session& s) { return audit_after(s, after, max); }).value();
    }
};

class PartnersSuite : public DatabaseSuite {
protected:
    Partner add(const std::string& name, Time at = noon) {
        const Partner partner{.id = PartnerId::random(), .name = name, .created_at = at};
        EXPECT_TRUE(write([partner](Session& s) { return insert_partner(s, partner); }));
        return partner;
    }
    ApiKey add_key(PartnerId partner, const Bytes& hash, Time at = noon) {
        const ApiKey key{
            .id = ApiKeyId::random(), .partner = partner, .hint = "x7Qz", .created_at = at};
        EXPECT_TRUE(write([=](Session& s) { return insert_api_key(s, key, hash); }));
        return key;
    }
    std::optional<Caller> caller(const Bytes& hash) {
        return read([hash](Session& s) { return find_caller(s, hash); }).value();
    }
    bool exists(const Bytes& hash) {
        return read([hash](Session& s) { return api_key_exists(s, hash); }).value();
    }
    bool revoke(ApiKeyId id, Time at) {
        return write([=](Session& s) { return revoke_api_key(s, id, at); }).value();
    }
    bool disable(PartnerId id, Time at) {
        return write([=](Session& s) { return disable_partner(s, id, at); }).value();
    }

    const Bytes hash_ = Bytes(32, std::byte{0xa5});
    const Bytes other_hash_ = Bytes(32, std::byte{0x5a});
};

}  // namespace satchel::meta
