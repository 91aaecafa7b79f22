#include "meta/sqlite_copy.hpp"

#include "base/limits.hpp"
#include "meta/page_checks.hpp"
#include "meta/sqlite_rewrite.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace satchel::meta {
namespace {

// What is half done is thrown away, so nothing has to survive a crash.
constexpr const char* target_settings =
    "PRAGMA journal_mode = MEMORY;"
    "PRAGMA synchronous = OFF;"
    "PRAGMA cache_size = -2048;";

Result<> create_new(const std::filesystem::path& file) {
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return fail(errno == EEXIST ? Errc::conflict : Errc::unavailable,
                    "create " + file.string() + ": " + std::generic_category().message(errno));
    }
    ::close(fd);
    return {};
}

}  // namespace

Result<std::unique_ptr<SqliteCopy>> SqliteCopy::begin(SqliteConnection& source,
                                                      const SqliteOptions& target) {
    CHECK(create_new(target.file));
    TRY(auto connection, SqliteConnection::open(target, Access::read_write));
    CHECK(connection->execute(target_settings));
    sqlite3_backup* const backup =
        sqlite3_backup_init(connection->handle(), "main", source.handle(), "main");
    if (backup == nullptr) {
        sqlite3* const db = connection->handle();
        return std::unexpected(sqlite_error(db, sqlite3_extended_errcode(db), "begin a copy"));
    }
    return std::unique_ptr<SqliteCopy>(new SqliteCopy(std::move(connection), backup));
}

SqliteCopy::~SqliteCopy() {
    sqlite3_backup_finish(backup_);
}

Result<bool> SqliteCopy::step() {
    const int code = sqlite3_backup_step(backup_, limits::backup_pages_per_step);
    if (code == SQLITE_DONE) return true;
    // Somebody has a lock for a moment: the next step finds it gone.
    const bool goes_on = code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED;
    if (goes_on) return false;
    return std::unexpected(sqlite_error(target_->handle(), code, "copy the database"));
}

Result<> rewrite_sqlite(const std::filesystem::path& file, const std::filesystem::path& to) {
    CHECK(create_new(to));  // An empty file is taken, and has the right mode.
    const PageVfs pages("");
    const SqliteOptions options{.file = file, .vfs = pages.name()};
    TRY(auto connection, SqliteConnection::open(options, Access::read_only));
    TRY(auto statement, connection->query("VACUUM INTO $1", to.string()));
    TRY([[maybe_unused]] const bool row, statement->step());
    return {};
}

}  // namespace satchel::meta
