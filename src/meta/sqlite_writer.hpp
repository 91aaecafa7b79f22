// The one thread that writes: group commit, erasing, and keeping the log short.
//
// A batch is up to limits::commit_batch_max waiting writes in one transaction, each inside its
// own savepoint. One fsync later all of them are resumed, each loop being woken once; those that
// erase when the log is cut, too, unless they wait for that themselves.
//
// The log is copied into the database file by a second thread while writes go on; the writer
// then starts it over between two batches. After a batch that erases, or one more if that waits,
// both are done at once and the log is cut, so that neither file holds what was removed.
//
// A copy of the whole database goes on by a few pages after each batch.
#pragma once

#include "base/async.hpp"
#include "meta/sqlite_connection.hpp"
#include "meta/sqlite_copy.hpp"
#include "meta/sqlite_traces.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

namespace satchel::meta {

// Lives in the frame of the coroutine that waits for it.
struct PendingWrite {
    std::move_only_function<Result<>(Session&)> work;
    Erases erases;
    // Instead of work: where the database is copied to, or what must be gone from its files.
    std::optional<SqliteOptions> copy_to;
    std::optional<ErasureMark> until_gone;
    Loop::executor_type home;
    std::move_only_function<void(Result<>)> resume;
    Result<> result;
    bool clears_traces = false;
};

class SqliteWriter {
public:
    // `writing` and `copying` are two connections to one migrated database.
    SqliteWriter(std::unique_ptr<SqliteConnection> writing,
                 std::unique_ptr<SqliteConnection> copying);
    // Finishes what is queued, empties the log, closes both connections.
    ~SqliteWriter();
    SqliteWriter(const SqliteWriter&) = delete;
    SqliteWriter& operator=(const SqliteWriter&) = delete;

    // `write` stays where it is until its `resume` was called on its loop. False: the queue is
    // full, and nothing will happen.
    bool push(PendingWrite& write);

    CommitStats stats() const;
    ErasureMark erasures() const { return erasures_; }
    bool is_gone(ErasureMark mark) const { return gone_ >= mark; }
    // Whether there are others beside one that is running, those that wait for the cut among them.
    bool has_waiting_writes() const { return unfinished_ > 1 || cut_due_; }

private:
    using Batch = std::vector<PendingWrite*>;

    void write_loop();
    bool next_batch(Batch& batch);
    void run_batch(Batch& batch);
    // After a commit that erases: takes those that wait for the cut out of `batch`.
    void put_aside(Batch& batch);
    bool may_put_off_cut();
    void cut_log();
    void resume_who_waited_for_cut();
    Result<> run_transaction(std::span<PendingWrite* const> batch);
    Result<> run_in_savepoint(PendingWrite& write);
    void run_alone(PendingWrite& write);
    void go_on_copying();
    void finish_copy(Result<> result);

    // Takes the writes that asked for it, and are durable, out of `batch`.
    void begin_clearing(Batch& batch);
    void clear_some();
    void end_clearing();

    void empty_log(std::chrono::milliseconds patience);
    void restart_log();
    void ask_for_copy();
    void copy_loop();

    std::unique_ptr<SqliteConnection> writing_;
    std::unique_ptr<SqliteConnection> copying_;

    std::mutex mutex_;  // Guards from here to the next blank line.
    std::condition_variable writer_wakes_;
    std::condition_variable copier_wakes_;
    std::deque<PendingWrite*> queue_;
    Batch waiting_for_cut_;  // As they came.
    bool stopping_ = false;
    bool copier_stops_ = false;
    bool copy_wanted_ = false;
    bool copied_ = false;

    // Held while loops are woken. Shared, because what wakes on them may outlive this object.
    std::shared_ptr<std::mutex> posting_ = std::make_shared<std::mutex>();
    std::mutex checkpoint_;  // One checkpoint at a time: SQLite's own wait for it is a sleep.
    // Used by the writer thread only.
    int log_frames_ = 0;
    int copy_at_frames_;
    bool erase_due_ = false;            // The log holds what it must not, and could not be cut yet.
    bool in_the_way_ = false;           // Somebody was, the last time it was to be cut.
    int batches_uncut_ = 0;             // While a cut is due.
    Batch for_cut_;                     // Resumed when their mark is gone, or was not to be.
    std::deque<PendingWrite*> copies_;  // The first is under way.
    std::unique_ptr<SqliteCopy> copy_;
    TraceCleaner cleaner_;

    std::atomic<bool> cut_due_{false};  // Something was erased since it was cut, or could not be.
    std::atomic<std::size_t> unfinished_{0};  // Queued or running, copies of the database apart.
    std::atomic<std::uint64_t> commits_{0};
    std::atomic<std::uint64_t> writes_{0};
    std::atomic<ErasureMark> erasures_{0};  // Commits that erase.
    std::atomic<ErasureMark> gone_{0};      // How many of them the log was cut after.

    std::thread copier_;
    std::thread writer_;
};

}  // namespace satchel::meta
