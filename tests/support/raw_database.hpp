// SQL behind the back of the code under test, in a file whose pages keep their checksums.
#pragma once

#include "meta/page_checks.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <string>

namespace satchel::test {

class RawDatabase {
public:
    // Made if it is absent.
    explicit RawDatabase(const std::filesystem::path& file) {
        const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
        EXPECT_EQ(sqlite3_open_v2(file.c_str(), &db_, flags, pages_.name().c_str()), SQLITE_OK);
        int room = meta::page_check_bytes;
        sqlite3_file_control(db_, "main", SQLITE_FCNTL_RESERVE_BYTES, &room);
    }
    ~RawDatabase() { sqlite3_close(db_); }
    RawDatabase(const RawDatabase&) = delete;
    RawDatabase& operator=(const RawDatabase&) = delete;

    void run(const std::string& sql) {
        EXPECT_EQ(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
            << sqlite3_errmsg(db_) << ": " << sql;
    }

private:
    meta::PageVfs pages_{""};
    sqlite3* db_ = nullptr;
};

}  // namespace satchel::test
