// Metadata: transactions over an SQL engine.
//
// Reads run on the loop they were asked from and must be point look-ups or short pages: SQLite
// answers those from memory in microseconds. Writes are queued; a writer commits many in one
// transaction (group commit), each inside its own savepoint, so that one that fails undoes
// nothing but itself. A write is durable (fsync) when its Async returns a value.
//
// SQL is written once for all engines, with parameters $1..$n, ids and keys as BLOB, times as
// microseconds since 1970 (BIGINT).
#pragma once

#include "base/async.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/uuid.hpp"
#include "crypto/audit_chain.hpp"
#include "crypto/text_cipher.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace satchel::meta {

// A prepared statement bound to one run. Views returned by a column are valid until the next
// step() or the Statement's end.
class Statement {
public:
    virtual ~Statement() = default;

    virtual void bind(int index, std::int64_t value) = 0;  // Indexes start at 1.
    virtual void bind(int index, std::string_view text) = 0;
    virtual void bind(int index, ByteView blob) = 0;
    virtual void bind_null(int index) = 0;

    // True: a row is there. False: done. Errc::conflict on a violated constraint,
    // Errc::unavailable if the engine cannot write or is gone, Errc::corrupt if its file is.
    virtual Result<bool> step() = 0;

    virtual std::int64_t integer(int column) const = 0;  // Columns start at 0.
    virtual std::string_view text(int column) const = 0;
    virtual ByteView blob(int column) const = 0;
    virtual bool is_null(int column) const = 0;

    // Ends the run: the statement's session may prepare the same SQL again.
    virtual void release() = 0;
};

struct Release {
    void operator()(Statement* statement) const { statement->release(); }
};
using StatementPtr = std::unique_ptr<Statement, Release>;

// A connection while a read or a write has it.
class Session {
public:
    virtual ~Session() = default;
    // `sql` must be a string literal: statements are cached by its address, one run of each at
    // a time.
    virtual Result<StatementPtr> prepare(const char* sql) = 0;

    // Seals what people wrote on its way into the database. Only for a database that was opened
    // with keys.
    virtual const crypto::TextCipher& texts() const = 0;

    // A secret for one purpose, the same for the life of the database. Only for a database that
    // was opened with keys, once one was written to.
    virtual crypto::Key secret(std::string_view purpose) const = 0;

    // Signs the deletion audit. Null if the database was opened without keys, or has none.
    virtual const crypto::AuditSigner* audit_signer() const = 0;
    // Where the deletion audit ends, for append_audit(). Only in a write, and only for a database
    // that was opened with keys. Follows the write's fate: undone with it.
    virtual AuditPosition& audit_end() = 0;

    // Prepares, binds in order, returns the statement before its first step.
    template <class... Args>
    Result<StatementPtr> query(const char* sql, const Args&... args) {
        auto statement = prepare(sql);
        if (statement) {
            int index = 0;
            (bind_one(**statement, ++index, args), ...);
        }
        return statement;
    }
    // For statements whose rows do not matter.
    template <class... Args>
    Result<> run(const char* sql, const Args&... args) {
        TRY(auto statement, query(sql, args...));
        TRY([[maybe_unused]] const bool row, statement->step());
        return {};
    }

private:
    static void bind_one(Statement& s, int i, std::int64_t v) { s.bind(i, v); }
    static void bind_one(Statement& s, int i, std::uint64_t v) {
        s.bind(i, static_cast<std::int64_t>(v));
    }
    static void bind_one(Statement& s, int i, int v) { s.bind(i, std::int64_t{v}); }
    static void bind_one(Statement& s, int i, std::uint32_t v) { s.bind(i, std::int64_t{v}); }
    static void bind_one(Statement& s, int i, std::string_view v) { s.bind(i, v); }
    static void bind_one(Statement& s, int i, const std::string& v) {
        s.bind(i, std::string_view(v));
    }
    static void bind_one(Statement& s, int i, const char* v) { s.bind(i, std::string_view(v)); }
    static void bind_one(Statement& s, int i, ByteView v) { s.bind(i, v); }
    static void bind_one(Statement& s, int i, const Bytes& v) { s.bind(i, ByteView(v)); }
    static void bind_one(Statement& s, int i, Time v) { s.bind(i, to_micros(v)); }
    template <class Tag>
    static void bind_one(Statement& s, int i, const Id<Tag>& v) {
        s.bind(i, v.bytes());
    }
    template <class T>
    static void bind_one(Statement& s, int i, const std::optional<T>& v) {
        v ? bind_one(s, i, *v) : s.bind_null(i);
    }
};

// Whether a write removes something that must not be found on the disk afterwards.
enum class Erases : std::uint8_t {
    no,
    yes,    // It returns when the engine's files, its log included, no longer contain that.
    later,  // It returns when it is durable: for who then waits with wait_until_gone().
};

// A point in the order of the writes that erase.
using ErasureMark = std::uint64_t;

struct CommitStats {
    std::uint64_t commits = 0;
    std::uint64_t writes = 0;  // writes / commits = writes per fsync.
};

// Usable from every loop and thread.
class Database {
public:
    virtual ~Database() = default;

    // `work` runs once, with a consistent view.
    virtual Async<> read_erased(std::function<Result<>(Session&)> work) = 0;
    // `work` runs once, on another thread; it must own what it touches. Its error is returned
    // and its changes are undone. Errc::unavailable when the commit failed, or with
    // reasons::overloaded when limits::commit_queue_max writes are waiting. After a failed
    // commit nothing is written, unless the process ends before the engine could cut its log.
    // Errc::timed_out, for a write that erases: it is done and durable, but the engine's files
    // still hold what it removed, because another process is reading them; they are cut as soon
    // as that ends.
    virtual Async<> write_erased(std::move_only_function<Result<>(Session&)> work,
                                 Erases erases) = 0;
    // Behind all writes that erase and have returned.
    virtual ErasureMark erasure_mark() const = 0;
    // Returns when the engine's files no longer contain what the writes before `mark` removed.
    // Errc::timed_out as for a write that erases.
    virtual Async<> wait_until_gone(ErasureMark mark) = 0;
    virtual CommitStats stats() const = 0;
    // Whether writes wait for the one that is running. For long work, inside a write, that can be
    // done in several: to end early.
    virtual bool has_waiting_writes() const = 0;

    // Writes all of it to the new file `file`, as it is when this returns, while reads and writes
    // go on: no write waits for longer than a few hundred pages take. The file is not durable yet.
    // Errc::conflict if it is there; Errc::unavailable if it cannot be written or the database was
    // opened read-only. What is left of it after an error is the caller's to remove.
    virtual Async<> copy_to(std::filesystem::path file) = 0;

    // Work is callable as Result<T>(Session&).
    template <class Work, class T = std::invoke_result_t<Work&, Session&>::value_type>
    Async<T> read(Work work) {
        if constexpr (std::is_void_v<T>) {
            co_return co_await read_erased(std::move(work));
        } else {
            std::optional<T> value;
            auto erased = [&value, &work](Session& session) -> Result<> {
                TRY(value, work(session));
                return {};
            };
            CO_CHECK(co_await read_erased(std::move(erased)));
            co_return *std::move(value);
        }
    }
    template <class Work, class T = std::invoke_result_t<Work&, Session&>::value_type>
    Async<T> write(Work work, Erases erases = Erases::no) {
        if constexpr (std::is_void_v<T>) {
            co_return co_await write_erased(std::move(work), erases);
        } else {
            auto value = std::make_shared<std::optional<T>>();
            auto erased = [value, work = std::move(work)](Session& session) mutable -> Result<> {
                TRY(*value, work(session));
                return {};
            };
            CO_CHECK(co_await write_erased(std::move(erased), erases));
            co_return **std::move(value);
        }
    }
};

}  // namespace satchel::meta
