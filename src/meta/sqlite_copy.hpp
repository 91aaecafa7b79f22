// A copy of a database that is being written to, made by the connection that writes.
//
// SQLite passes every page that this connection changes on to the copy, so that the copy neither
// starts over nor keeps a view of the database open while others want to empty its log.
#pragma once

#include "meta/sqlite_connection.hpp"

#include <memory>

namespace satchel::meta {

// Used on the thread that uses `source`, between its transactions.
class SqliteCopy {
public:
    // `target` names a new file, which gets mode 0600. `source` outlives the copy.
    static Result<std::unique_ptr<SqliteCopy>> begin(SqliteConnection& source,
                                                     const SqliteOptions& target);
    ~SqliteCopy();
    SqliteCopy(const SqliteCopy&) = delete;
    SqliteCopy& operator=(const SqliteCopy&) = delete;

    // Goes on by limits::backup_pages_per_step pages. True: the file is `source` as it is now,
    // but not durable yet.
    Result<bool> step();

private:
    SqliteCopy(std::unique_ptr<SqliteConnection> target, sqlite3_backup* backup)
        : target_(std::move(target)), backup_(backup) {}

    std::unique_ptr<SqliteConnection> target_;
    sqlite3_backup* backup_;
};

}  // namespace satchel::meta
