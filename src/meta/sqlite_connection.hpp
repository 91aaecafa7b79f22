// One SQLite connection: how it is set up, its cached statements, its errors as ours.
// Settings and their reasons: docs/formats/metadata.md.
#pragma once

#include "meta/database.hpp"
#include "meta/sqlite.hpp"

#include <sqlite3.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

namespace satchel::meta {

// conflict: a constraint. unavailable: cannot read or write now. corrupt: not a database, or
// damaged. internal: our SQL is wrong. `operation` goes into the detail.
Error sqlite_error(sqlite3* db, int code, std::string_view operation);

// The open file of the main database.
Result<sqlite3_file*> database_file(sqlite3* db);

// What hangs from the key that stands, wrapped, in the database itself.
struct DatabaseKeys {
    explicit DatabaseKeys(const crypto::Key& text_key)
        : root(text_key), texts(text_key), audit(text_key) {}
    crypto::Key root;
    crypto::TextCipher texts;
    crypto::AuditSigner audit;
};

class SqliteStatement final : public Statement {
public:
    explicit SqliteStatement(sqlite3_stmt* statement) : statement_(statement) {}
    ~SqliteStatement() override { sqlite3_finalize(statement_); }
    SqliteStatement(const SqliteStatement&) = delete;
    SqliteStatement& operator=(const SqliteStatement&) = delete;

    void bind(int index, std::int64_t value) override;
    void bind(int index, std::string_view text) override;
    void bind(int index, ByteView blob) override;
    void bind_null(int index) override;
    Result<bool> step() override;
    std::int64_t integer(int column) const override;
    std::string_view text(int column) const override;
    ByteView blob(int column) const override;
    bool is_null(int column) const override;
    void release() override;

private:
    friend class SqliteConnection;
    struct Kept {
        const char* data;
        sqlite3_destructor_type owner;
    };
    Kept keep(const void* data, std::size_t size);
    void note(int code) {
        if (code != SQLITE_OK) bind_error_ = code;
    }

    sqlite3_stmt* statement_;
    bool running_ = false;
    int bind_error_ = SQLITE_OK;
    // Bound bytes live here until release(); what does not fit is copied by SQLite.
    std::size_t kept_bytes_ = 0;
    std::array<char, 512> kept_;
};

// Used by one thread at a time.
class SqliteConnection final : public Session {
public:
    // The file exists (read_write) or may be missing (an error). Nothing is written to it.
    static Result<std::unique_ptr<SqliteConnection>> open(const SqliteOptions& options,
                                                          Access access);
    ~SqliteConnection() override;
    SqliteConnection(const SqliteConnection&) = delete;
    SqliteConnection& operator=(const SqliteConnection&) = delete;

    Result<StatementPtr> prepare(const char* sql) override;
    const crypto::TextCipher& texts() const override {
        ASSERT(keys_ != nullptr);
        return keys_->texts;
    }
    crypto::Key secret(std::string_view purpose) const override {
        ASSERT(keys_ != nullptr);
        return crypto::secret_of(keys_->root, purpose);
    }
    const crypto::AuditSigner* audit_signer() const override {
        return keys_ == nullptr ? nullptr : &keys_->audit;
    }
    AuditPosition& audit_end() override {
        ASSERT(keys_ != nullptr);
        return audit_end_;
    }
    void set_keys(std::shared_ptr<const DatabaseKeys> keys) { keys_ = std::move(keys); }

    // As audit_end(), for whoever begins and ends transactions; with or without keys.
    const AuditPosition& kept_audit_end() const { return audit_end_; }
    void keep_audit_end(const AuditPosition& end) { audit_end_ = end; }

    // Whether clear_traces() was called since this was asked last.
    bool take_clearing() { return std::exchange(wants_clearing_, false); }
    void want_clearing() { wants_clearing_ = true; }

    // Runs a script of statements, uncached.
    Result<> execute(const std::string& script);
    // The first column of the first row.
    Result<std::int64_t> integer(const char* sql);

    bool in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }
    // Undoes what is open. What SQLite has rolled back on its own already is fine, too.
    void roll_back();

    // How long a call waits for a lock that someone else holds.
    void set_patience(std::chrono::milliseconds patience);
    sqlite3* handle() const { return db_; }

private:
    explicit SqliteConnection(sqlite3* db) : db_(db) {}

    sqlite3* db_;
    std::shared_ptr<const DatabaseKeys> keys_;
    AuditPosition audit_end_;
    bool wants_clearing_ = false;
    std::unordered_map<const char*, std::unique_ptr<SqliteStatement>> statements_;
};

inline constexpr std::chrono::milliseconds lock_wait_max{1000};

}  // namespace satchel::meta
