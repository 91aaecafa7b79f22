#include "meta/sqlite_connection.hpp"

#include "meta/page_checks.hpp"

#include <cstring>
#include <utility>

namespace satchel::meta {
namespace {

Errc to_errc(int code) {
    switch (code & 0xff) {
        case SQLITE_CONSTRAINT:
            return Errc::conflict;
        case SQLITE_FULL:
        case SQLITE_IOERR:
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_NOMEM:
        case SQLITE_INTERRUPT:
        case SQLITE_ABORT:
        case SQLITE_PROTOCOL:
            return Errc::unavailable;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return Errc::corrupt;
        default:
            return Errc::internal;
    }
}

// "$1" is a name to SQLite, numbered by first appearance; "?1" is the first parameter.
std::string with_numbered_parameters(std::string_view sql) {
    std::string out(sql);
    std::ranges::replace(out, '$', '?');
    return out;
}

// Settings of every connection. None of them changes the file.
constexpr const char* common_settings =
    "PRAGMA synchronous = FULL;"
    "PRAGMA foreign_keys = ON;"
    "PRAGMA trusted_schema = OFF;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA mmap_size = 0;"
    "PRAGMA wal_autocheckpoint = 0;";
constexpr const char* writer_settings =
    "PRAGMA page_size = 4096;"
    "PRAGMA auto_vacuum = NONE;"
    "PRAGMA secure_delete = ON;"
    "PRAGMA journal_size_limit = 8388608;"
    "PRAGMA cache_size = -8192;";
// A reader's cache is good until the next commit only.
constexpr const char* reader_settings = "PRAGMA cache_size = -1024;";

// Of a database that is new; one that is there has its room or has not.
Result<> make_room_for_checks(sqlite3* db) {
    int bytes = page_check_bytes;
    const int code = sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &bytes);
    if (code != SQLITE_OK) return std::unexpected(sqlite_error(db, code, "set up the pages"));
    return {};
}

}  // namespace

Error sqlite_error(sqlite3* db, int code, std::string_view operation) {
    std::string detail(operation);
    detail += ": ";
    // The connection's message belongs to its latest call; another code gets the general text.
    const bool latest = db != nullptr && sqlite3_extended_errcode(db) == code;
    if (code == damaged_page) {
        detail += "a page of the file is damaged, restore a backup (satchel restore)";
    } else {
        detail += latest ? sqlite3_errmsg(db) : sqlite3_errstr(code);
    }
    detail += " (" + std::to_string(code) + ")";
    return Error{to_errc(code), nullptr, {}, std::move(detail)};
}

Result<sqlite3_file*> database_file(sqlite3* db) {
    sqlite3_file* file = nullptr;
    const int code = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (code != SQLITE_OK || file == nullptr) {
        return std::unexpected(sqlite_error(db, code, "find the database's file"));
    }
    return file;
}

SqliteStatement::Kept SqliteStatement::keep(const void* data, std::size_t size) {
    if (size == 0) return {"", SQLITE_STATIC};  // A null pointer would bind NULL.
    if (size > kept_.size() - kept_bytes_) {
        return {static_cast<const char*>(data), SQLITE_TRANSIENT};
    }
    char* const copy = kept_.data() + kept_bytes_;
    std::memcpy(copy, data, size);
    kept_bytes_ += size;
    return {copy, SQLITE_STATIC};
}

void SqliteStatement::bind(int index, std::int64_t value) {
    note(sqlite3_bind_int64(statement_, index, value));
}

void SqliteStatement::bind(int index, std::string_view text) {
    const Kept kept = keep(text.data(), text.size());
    note(sqlite3_bind_text64(statement_, index, kept.data, text.size(), kept.owner, SQLITE_UTF8));
}

void SqliteStatement::bind(int index, ByteView blob) {
    const Kept kept = keep(blob.data(), blob.size());
    note(sqlite3_bind_blob64(statement_, index, kept.data, blob.size(), kept.owner));
}

void SqliteStatement::bind_null(int index) {
    note(sqlite3_bind_null(statement_, index));
}

Result<bool> SqliteStatement::step() {
    sqlite3* const db = sqlite3_db_handle(statement_);
    const int code = bind_error_ != SQLITE_OK ? bind_error_ : sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return std::unexpected(sqlite_error(db, sqlite3_extended_errcode(db), sqlite3_sql(statement_)));
}

std::int64_t SqliteStatement::integer(int column) const {
    return sqlite3_column_int64(statement_, column);
}

std::string_view SqliteStatement::text(int column) const {
    const auto* data = sqlite3_column_text(statement_, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return {reinterpret_cast<const char*>(data), size};
}

ByteView SqliteStatement::blob(int column) const {
    const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(statement_, column));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

bool SqliteStatement::is_null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

void SqliteStatement::release() {
    sqlite3_reset(statement_);  // Repeats the error step() has returned already.
    sqlite3_clear_bindings(statement_);
    kept_bytes_ = 0;
    bind_error_ = SQLITE_OK;
    running_ = false;
}

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const SqliteOptions& options,
                                                                 Access access) {
    const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                      (access == Access::read_write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
    sqlite3* db = nullptr;
    const int code = sqlite3_open_v2(options.file.c_str(), &db, flags,
                                     options.vfs.empty() ? nullptr : options.vfs.c_str());
    // Even a failed open gives a handle that has to be closed.
    std::unique_ptr<SqliteConnection> connection(new SqliteConnection(db));
    if (code != SQLITE_OK) {
        Error error = sqlite_error(db, code, "open");
        if (const int reason = db != nullptr ? sqlite3_system_errno(db) : 0; reason != 0) {
            error.detail += ": " + std::generic_category().message(reason);
        }
        return std::unexpected(std::move(error));
    }
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    connection->set_patience(lock_wait_max);
    if (access == Access::read_write) CHECK(make_room_for_checks(db));
    CHECK(connection->execute(common_settings));
    CHECK(connection->execute(access == Access::read_write ? writer_settings : reader_settings));
    return connection;
}

SqliteConnection::~SqliteConnection() {
    statements_.clear();
    sqlite3_close_v2(db_);
}

Result<StatementPtr> SqliteConnection::prepare(const char* sql) {
    std::unique_ptr<SqliteStatement>& cached = statements_[sql];
    if (cached == nullptr) {
        const std::string text = with_numbered_parameters(sql);
        sqlite3_stmt* statement = nullptr;
        const int code = sqlite3_prepare_v3(db_, text.c_str(), static_cast<int>(text.size() + 1),
                                            SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
        if (code != SQLITE_OK) return std::unexpected(sqlite_error(db_, code, sql));
        cached = std::make_unique<SqliteStatement>(statement);
    }
    ASSERT(!cached->running_);
    cached->running_ = true;
    return StatementPtr(cached.get());
}

Result<> SqliteConnection::execute(const std::string& script) {
    const int code = sqlite3_exec(db_, script.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return std::unexpected(sqlite_error(db_, code, "execute"));
    return {};
}

Result<std::int64_t> SqliteConnection::integer(const char* sql) {
    TRY(auto statement, prepare(sql));
    TRY(const bool found, statement->step());
    if (!found) return fail(Errc::internal, std::string("no row: ") + sql);
    return statement->integer(0);
}

void SqliteConnection::roll_back() {
    if (in_transaction()) ignore(run("ROLLBACK"), "SQLite may have rolled back on its own");
}

void SqliteConnection::set_patience(std::chrono::milliseconds patience) {
    sqlite3_busy_timeout(db_, static_cast<int>(patience.count()));
}

}  // namespace satchel::meta
