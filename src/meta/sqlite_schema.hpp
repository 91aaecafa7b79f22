// Tells a Satchel database from other files and brings it to this binary's schema.
#pragma once

#include "meta/sqlite_connection.hpp"

namespace satchel::meta {

// What prepare_schema() makes of a file.
std::int64_t newest_schema();
// 0: not a database yet. Errors as below.
Result<std::int64_t> schema_of(SqliteConnection& connection);

// Errors carry a line for the operator in `message`, without the file's name.
//
// Refuses files of others and newer schemas; with read_only older ones, too. With read_write it
// turns an empty file into a database, switches to WAL and applies what migrations are missing,
// each in a transaction of its own.
Result<> prepare_schema(SqliteConnection& connection, Access access);

}  // namespace satchel::meta
