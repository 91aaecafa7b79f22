#include "meta/sqlite.hpp"

#include "base/log.hpp"
#include "meta/audit.hpp"
#include "meta/log_vfs.hpp"
#include "meta/master_keys.hpp"
#include "meta/page_checks.hpp"
#include "meta/sqlite_connection.hpp"
#include "meta/sqlite_schema.hpp"
#include "meta/sqlite_writer.hpp"
#include "meta/text_key.hpp"
#include "model/api_errors.hpp"

#include <boost/asio/this_coro.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <utility>
#include <vector>

namespace satchel::meta {
namespace {

class SqliteDatabase final : public Database {
public:
    SqliteDatabase(SqliteOptions options,
                   std::shared_ptr<const DatabaseKeys> keys,
                   std::unique_ptr<PageVfs> page_vfs,
                   std::unique_ptr<LogVfs> log_vfs,
                   std::unique_ptr<SqliteWriter> writer)
        : options_(std::move(options)),
          keys_(std::move(keys)),
          page_vfs_(std::move(page_vfs)),
          log_vfs_(std::move(log_vfs)),
          writer_(std::move(writer)) {}

    Async<> read_erased(std::function<Result<>(Session&)> work) override {
        CO_TRY(auto reader, take_reader());
        auto result = read_with(*reader, work);
        if (!reader->in_transaction()) keep_reader(std::move(reader));
        co_return result;
    }

    Async<> write_erased(std::move_only_function<Result<>(Session&)> work, Erases erases) override;
    ErasureMark erasure_mark() const override { return writer_ ? writer_->erasures() : 0; }
    Async<> wait_until_gone(ErasureMark mark) override;

    Async<> copy_to(std::filesystem::path file) override;

    CommitStats stats() const override { return writer_ ? writer_->stats() : CommitStats{}; }
    bool has_waiting_writes() const override { return writer_ && writer_->has_waiting_writes(); }

private:
    Async<> queue(PendingWrite& write);

    // BEGIN and COMMIT cost 0.1 us together and give all statements one view.
    static Result<> read_with(SqliteConnection& reader,
                              const std::function<Result<>(Session&)>& work) {
        CHECK(reader.run("BEGIN"));
        auto result = work(reader);
        if (auto ended = reader.run("COMMIT"); !ended) {
            reader.roll_back();
            if (result) return ended;
        }
        return result;
    }

    // Reads block their thread, so there are never more readers than threads.
    Result<std::unique_ptr<SqliteConnection>> take_reader() {
        {
            const std::lock_guard lock(mutex_);
            if (!readers_.empty()) {
                auto reader = std::move(readers_.back());
                readers_.pop_back();
                return reader;
            }
        }
        TRY(auto reader, SqliteConnection::open(options_, Access::read_only));
        reader->set_keys(keys_);
        return reader;
    }
    void keep_reader(std::unique_ptr<SqliteConnection> reader) {
        const std::lock_guard lock(mutex_);
        readers_.push_back(std::move(reader));
    }

    const SqliteOptions options_;
    const std::shared_ptr<const DatabaseKeys> keys_;
    std::unique_ptr<PageVfs> page_vfs_;  // Of all connections; options_ names it.
    std::unique_ptr<LogVfs> log_vfs_;    // Over it, of the writer.
    // Closed after the readers: the connection that closes last takes the log away.
    std::unique_ptr<SqliteWriter> writer_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<SqliteConnection>> readers_;
};

Async<> SqliteDatabase::write_erased(std::move_only_function<Result<>(Session&)> work,
                                     Erases erases) {
    PendingWrite write{.work = std::move(work),
                       .erases = erases,
                       .copy_to = {},
                       .until_gone = {},
                       .home = co_await asio::this_coro::executor,
                       .resume = {},
                       .result = {}};
    co_return co_await queue(write);
}

Async<> SqliteDatabase::wait_until_gone(ErasureMark mark) {
    if (!writer_ || writer_->is_gone(mark)) co_return Result<>{};
    PendingWrite wait{.work = {},
                      .erases = Erases::no,
                      .copy_to = {},
                      .until_gone = mark,
                      .home = co_await asio::this_coro::executor,
                      .resume = {},
                      .result = {}};
    co_return co_await queue(wait);
}

Async<> SqliteDatabase::copy_to(std::filesystem::path file) {
    SqliteOptions target = options_;
    target.file = std::move(file);
    PendingWrite copy{.work = {},
                      .erases = Erases::no,
                      .copy_to = std::move(target),
                      .until_gone = {},
                      .home = co_await asio::this_coro::executor,
                      .resume = {},
                      .result = {}};
    co_return co_await queue(copy);
}

// `write` lives in the frame of the coroutine that waits for this.
Async<> SqliteDatabase::queue(PendingWrite& write) {
    if (!writer_) co_return fail(Errc::unavailable, "the database was opened read-only");
    auto start = [this, &write](auto resume) {
        write.resume = std::move(resume);
        if (writer_->push(write)) return;
        asio::post(write.home, [refused = std::move(write.resume)]() mutable {
            refused(fail(reasons::overloaded));
        });
    };
    co_return co_await asio::async_initiate<const UseTask, void(Result<>)>(std::move(start),
                                                                           use_task);
}

// SQLite keeps no statistics of its memory (they cost a lock at every allocation) and takes no
// locks around connections (each has one user at a time). Process-wide, so the first call
// decides, and only if nobody has used SQLite before.
void configure_library() {
    static std::once_flag once;
    std::call_once(once, [] {
        sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    });
}

Result<> sync_folder(const std::filesystem::path& folder) {
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = fd >= 0 && ::fsync(fd) == 0;
    const int reason = errno;
    if (fd >= 0) ::close(fd);
    if (!synced) return fail(Errc::unavailable, std::generic_category().message(reason));
    return {};
}

// Before SQLite does, because it would let others read the file. Its log gets the same mode.
Result<> create_if_absent(const std::filesystem::path& file) {
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        if (errno == EEXIST) return {};
        return fail(Errc::unavailable, std::generic_category().message(errno));
    }
    ::close(fd);
    return sync_folder(std::filesystem::absolute(file).parent_path());
}

using KeysPtr = std::shared_ptr<const DatabaseKeys>;

// What hangs from the database's own key. Null when it was never written with keys.
Result<KeysPtr> find_keys(SqliteConnection& connection, const crypto::KeyRing& keys) {
    TRY(const auto key, find_text_key(connection, keys));
    return key ? std::make_shared<const DatabaseKeys>(*key) : nullptr;
}

// The same, made if it is not there, and the audit that is signed with it. A newer version of the
// master key comes into use.
Result<KeysPtr> make_keys(SqliteConnection& connection, const crypto::KeyRing& keys) {
    TRY(auto found, find_keys(connection, keys));
    if (found == nullptr) {
        const crypto::Key key = crypto::Key::random();
        CHECK(insert_text_key(connection, keys, key));
        found = std::make_shared<const DatabaseKeys>(key);
    }
    const Time now = Clock().now();
    CHECK(adopt_master_key(connection, keys, now));
    connection.set_keys(found);
    TRY(const AuditPosition end, open_audit_chain(connection, now));
    connection.keep_audit_end(end);
    return found;
}

Result<KeysPtr> open_keys(SqliteConnection& connection, const SqliteOptions& options) {
    if (options.keys == nullptr) return nullptr;
    if (options.access == Access::read_only) return find_keys(connection, *options.keys);
    CHECK(connection.run("BEGIN IMMEDIATE"));
    auto made = make_keys(connection, *options.keys);
    if (!made) {
        connection.roll_back();
        return made;
    }
    CHECK(connection.run("COMMIT"));
    return made;
}

// Before anything is written: a database that cannot be read stays as it is.
Result<> check_keys(SqliteConnection& connection, const SqliteOptions& options) {
    if (options.keys == nullptr) return {};
    TRY(const auto schema, schema_of(connection));
    if (schema == 0 || schema > newest_schema()) return {};
    return check_master_keys(connection, *options.keys);
}

Result<std::unique_ptr<Database>> open_files(SqliteOptions options) {
    const bool writes = options.access == Access::read_write;
    if (writes) CHECK(create_if_absent(options.file));
    auto page_vfs = std::make_unique<PageVfs>(options.vfs);
    options.vfs = page_vfs->name();
    std::unique_ptr<LogVfs> log_vfs;
    SqliteOptions with_log = options;
    if (writes) {
        log_vfs = std::make_unique<LogVfs>(options.vfs);
        with_log.vfs = log_vfs->name();
    }
    TRY(auto connection, SqliteConnection::open(with_log, options.access));
    CHECK(check_keys(*connection, options));
    CHECK(prepare_schema(*connection, options.access));
    TRY(auto keys, open_keys(*connection, options));
    std::unique_ptr<SqliteWriter> writer;
    if (writes) {
        TRY(auto copying, SqliteConnection::open(options, Access::read_write));
        writer = std::make_unique<SqliteWriter>(std::move(connection), std::move(copying));
    }
    return std::make_unique<SqliteDatabase>(std::move(options), std::move(keys),
                                            std::move(page_vfs), std::move(log_vfs),
                                            std::move(writer));
}

}  // namespace

Result<std::unique_ptr<Database>> open_sqlite(const SqliteOptions& options) {
    configure_library();
    auto database = open_files(options);
    if (!database) {
        Error& error = database.error();
        const std::string why = error.message.empty() ? error.detail : error.message;
        error.message = "cannot use the metadata in " + options.file.string() + ": " + why;
    }
    return database;
}

}  // namespace satchel::meta
