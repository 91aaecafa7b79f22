#include "meta/sqlite_schema.hpp"

#include "meta/migrations.hpp"

namespace satchel::meta {
namespace {

// PRAGMA application_id: "SATC" in ASCII. Frozen.
constexpr std::int64_t application_id = 0x53415443;

std::unexpected<Error> refuse(Errc code, std::string message) {
    return std::unexpected(Error{code, nullptr, message, message});
}

Result<> migrate_one(SqliteConnection& connection, const Migration& migration) {
    CHECK(connection.run("BEGIN IMMEDIATE"));
    // Another process may have been here since the caller looked.
    TRY(const auto schema, schema_of(connection));
    if (schema < migration.number) {
        CHECK(connection.execute(migration.sql));
        CHECK(connection.execute("PRAGMA application_id = " + std::to_string(application_id) +
                                 "; PRAGMA user_version = " + std::to_string(migration.number)));
    }
    return connection.run("COMMIT");
}

Result<> use_write_ahead_log(SqliteConnection& connection) {
    TRY(auto statement, connection.query("PRAGMA journal_mode = WAL"));
    TRY(const bool found, statement->step());
    if (!found || statement->text(0) != "wal") {
        return refuse(Errc::unavailable, "this file system cannot hold a write-ahead log");
    }
    return {};
}

}  // namespace

std::int64_t newest_schema() {
    return migrations.back().number;
}

Result<std::int64_t> schema_of(SqliteConnection& connection) {
    TRY(const auto application, connection.integer("PRAGMA application_id"));
    TRY(const auto schema, connection.integer("PRAGMA user_version"));
    if (application == application_id) return schema;
    TRY(const auto objects, connection.integer("SELECT count(*) FROM sqlite_schema"));
    if (application != 0 || schema != 0 || objects != 0) {
        return refuse(Errc::corrupt, "this is the database of another program");
    }
    return 0;
}

Result<> prepare_schema(SqliteConnection& connection, Access access) {
    TRY(const auto schema, schema_of(connection));
    if (schema > newest_schema()) {
        return refuse(Errc::invalid_argument,
                      "it was written by a newer release (schema " + std::to_string(schema) +
                          ", this one knows up to " + std::to_string(newest_schema()) +
                          "): use that release");
    }
    if (access == Access::read_only) {
        if (schema < newest_schema()) {
            return refuse(Errc::invalid_argument,
                          "it has the schema of an older release (" + std::to_string(schema) +
                              ", needed is " + std::to_string(newest_schema()) +
                              "): start the server once to bring it up to date");
        }
        return {};
    }
    CHECK(use_write_ahead_log(connection));
    for (const Migration& migration : migrations) {
        if (migration.number <= schema) continue;
        if (auto migrated = migrate_one(connection, migration); !migrated) {
            connection.roll_back();
            return migrated;
        }
    }
    return {};
}

}  // namespace satchel::meta
