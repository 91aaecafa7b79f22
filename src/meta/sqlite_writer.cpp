#include "meta/sqlite_writer.hpp"

#include "base/limits.hpp"
#include "base/log.hpp"
#include "base/scheduling.hpp"
#include "meta/audit.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace satchel::meta {
namespace {

using namespace std::chrono_literals;

// 4 MiB of log: long enough that pages written again and again are copied once.
constexpr int frames_before_copy = 1024;
constexpr auto erase_retry_interval = 250ms;
// Starting the log over is worth little patience: it is tried again after the next copy.
constexpr auto restart_wait_max = 10ms;

// The finished writes of one loop. Resumes them there, or, if that loop is gone without having
// run this, destroys their coroutines.
class Resumption {
public:
    Resumption(const Loop::executor_type& home, std::shared_ptr<std::mutex> posting)
        : home_(home), posting_(std::move(posting)) {}
    Resumption(Resumption&& other) noexcept
        : home_(other.home_),
          posting_(std::move(other.posting_)),
          writes_(std::exchange(other.writes_, {})),
          next_(std::exchange(other.next_, 0)) {}
    Resumption& operator=(Resumption&&) = delete;
    ~Resumption() {
        while (PendingWrite* const write = take()) {
            // The handler owns the frame that `write` is in.
            const auto dropped = std::move(write->resume);
        }
    }

    const Loop::executor_type& home() const { return home_; }
    void add(PendingWrite* write) { writes_.push_back(write); }

    void operator()() {
        // What is resumed may end its loop, which the writer must have let go of by then.
        {
            const std::lock_guard posted(*posting_);
        }
        while (PendingWrite* const write = take()) {
            auto resume = std::move(write->resume);
            auto result = std::move(write->result);
            resume(std::move(result));
        }
    }

private:
    PendingWrite* take() { return next_ < writes_.size() ? writes_[next_++] : nullptr; }

    Loop::executor_type home_;
    std::shared_ptr<std::mutex> posting_;
    std::vector<PendingWrite*> writes_;
    std::size_t next_ = 0;
};

void resume_all(const std::vector<PendingWrite*>& batch,
                const std::shared_ptr<std::mutex>& posting) {
    std::vector<Resumption> groups;
    for (PendingWrite* const write : batch) {
        auto group = std::ranges::find(groups, write->home, &Resumption::home);
        if (group == groups.end()) {
            groups.emplace_back(write->home, posting);
            group = std::prev(groups.end());
        }
        group->add(write);
    }
    const std::lock_guard lock(*posting);
    for (Resumption& group : groups) {
        const Loop::executor_type home = group.home();
        asio::post(home, std::move(group));
    }
}

int count_frames(void* frames, sqlite3*, const char*, int in_log) {
    *static_cast<int*>(frames) = in_log;
    return SQLITE_OK;
}

Result<> guarded(PendingWrite& write, Session& session) {
    try {
        return write.work(session);
    } catch (const std::exception& error) {
        return fail(Errc::internal, std::string("a write threw: ") + error.what());
    }
}

Result<> log_is_not_cut() {
    return fail(Errc::timed_out, "the log still holds what was erased");
}

// SQLite does not make the cut of its log durable: a loss of power would bring back what it held.
int sync_log(sqlite3* db) {
    sqlite3_file* log = nullptr;
    const int code = sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (code != SQLITE_OK || log == nullptr || log->pMethods == nullptr) return code;
    return log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
}

}  // namespace

SqliteWriter::SqliteWriter(std::unique_ptr<SqliteConnection> writing,
                           std::unique_ptr<SqliteConnection> copying)
    : writing_(std::move(writing)),
      copying_(std::move(copying)),
      copy_at_frames_(frames_before_copy) {
    sqlite3_wal_hook(writing_->handle(), &count_frames, &log_frames_);
    // A crash may have come between a commit that erases and the cutting of the log.
    empty_log(0ms);
    copier_ = std::thread([this] { copy_loop(); });
    writer_ = std::thread([this] { write_loop(); });
}

SqliteWriter::~SqliteWriter() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    writer_wakes_.notify_one();
    writer_.join();
    {
        const std::lock_guard lock(mutex_);
        copier_stops_ = true;
    }
    copier_wakes_.notify_one();
    copier_.join();
    copying_.reset();
    empty_log(lock_wait_max);
}

bool SqliteWriter::push(PendingWrite& write) {
    {
        const std::lock_guard lock(mutex_);
        if (write.until_gone) {
            waiting_for_cut_.push_back(&write);
        } else {
            if (queue_.size() >= limits::commit_queue_max) return false;
            queue_.push_back(&write);
            if (!write.copy_to) ++unfinished_;
        }
    }
    writer_wakes_.notify_one();
    return true;
}

CommitStats SqliteWriter::stats() const {
    return {commits_.load(), writes_.load()};
}

void SqliteWriter::write_loop() {
    take_short_turns();
    Batch batch;
    while (next_batch(batch)) {
        if (erase_due_) empty_log(0ms);
        if (!batch.empty()) {
            const std::size_t count = batch.size();
            run_batch(batch);
            unfinished_ -= count;
        }
        batch.clear();
        if (cut_due_ && !may_put_off_cut()) cut_log();
        resume_who_waited_for_cut();
        go_on_copying();
        if (cleaner_.is_busy() && !cut_due_) clear_some();
    }
    if (cut_due_) cut_log();
    resume_who_waited_for_cut();
    end_clearing();
    while (!copies_.empty()) finish_copy(fail(Errc::unavailable, "the database is being closed"));
}

void SqliteWriter::go_on_copying() {
    if (copies_.empty()) return;
    if (copy_ == nullptr) {
        auto begun = SqliteCopy::begin(*writing_, *copies_.front()->copy_to);
        if (!begun) return finish_copy(std::unexpected(std::move(begun).error()));
        copy_ = *std::move(begun);
    }
    const auto done = copy_->step();
    if (!done) return finish_copy(std::unexpected(done.error()));
    if (*done) finish_copy({});
}

void SqliteWriter::finish_copy(Result<> result) {
    copy_.reset();
    PendingWrite* const asked = copies_.front();
    copies_.pop_front();
    asked->result = std::move(result);
    resume_all({asked}, posting_);
}

// Waits for writes. May come back with none, to keep house. False: time to stop.
bool SqliteWriter::next_batch(Batch& batch) {
    std::unique_lock lock(mutex_);
    const auto something_to_do = [this] {
        const bool may_clear = cleaner_.is_busy() && !erase_due_;
        return !queue_.empty() || !waiting_for_cut_.empty() || copied_ || stopping_ ||
               !copies_.empty() || may_clear;
    };
    if (erase_due_) {
        writer_wakes_.wait_for(lock, erase_retry_interval, something_to_do);
    } else {
        writer_wakes_.wait(lock, something_to_do);
    }
    if (std::exchange(copied_, false)) {
        lock.unlock();
        restart_log();
        lock.lock();
    }
    while (!queue_.empty() && batch.size() < limits::commit_batch_max) {
        PendingWrite* const next = queue_.front();
        queue_.pop_front();
        if (next->copy_to) {
            copies_.push_back(next);
        } else {
            batch.push_back(next);
        }
    }
    return !batch.empty() || !stopping_;  // What is being copied ends with the database.
}

void SqliteWriter::run_batch(Batch& batch) {
    const AuditPosition audit_end = writing_->kept_audit_end();
    if (auto committed = run_transaction(batch); !committed) {
        writing_->roll_back();
        writing_->keep_audit_end(audit_end);
        // Frames of the failed commit may be in the log file. They are not valid for anyone
        // who has the database open, but would be for a recovery after a crash.
        erase_due_ = true;
        const std::string detail = "commit failed: " + committed.error().detail;
        log::error("metadata_commit_failed", {{"detail", detail}, {"writes", batch.size()}});
        for (PendingWrite* write : batch) write->result = fail(Errc::unavailable, detail);
    } else {
        const auto succeeded = [](const PendingWrite* write) { return write->result.has_value(); };
        const auto done = static_cast<std::uint64_t>(std::ranges::count_if(batch, succeeded));
        if (done > 0) {
            writes_ += done;
            ++commits_;
        }
        const auto erases = [](const PendingWrite* write) {
            return write->erases != Erases::no && write->result.has_value();
        };
        if (std::ranges::any_of(batch, erases)) {
            ++erasures_;
            cut_due_ = true;
            put_aside(batch);
        }
        begin_clearing(batch);
    }
    resume_all(batch, posting_);
    if (!cut_due_ && log_frames_ >= copy_at_frames_) ask_for_copy();  // The cut copies, too.
}

void SqliteWriter::put_aside(Batch& batch) {
    std::erase_if(batch, [this](PendingWrite* write) {
        if (write->erases != Erases::yes || !write->result) return false;
        write->until_gone = erasures_;
        for_cut_.push_back(write);
        return true;
    });
}

// One cut does for several batches that follow each other at once.
bool SqliteWriter::may_put_off_cut() {
    if (++batches_uncut_ >= limits::batches_per_cut_max) return false;
    const std::lock_guard lock(mutex_);
    return !queue_.empty();
}

void SqliteWriter::cut_log() {
    // Whoever is in the way for so long will not be gone at once: wait once, not always.
    empty_log(in_the_way_ ? 0ms : lock_wait_max);
    cut_due_ = false;
    batches_uncut_ = 0;
}

void SqliteWriter::resume_who_waited_for_cut() {
    {
        const std::lock_guard lock(mutex_);
        for_cut_.insert(for_cut_.end(), waiting_for_cut_.begin(), waiting_for_cut_.end());
        waiting_for_cut_.clear();
    }
    Batch done;
    std::erase_if(for_cut_, [this, &done](PendingWrite* write) {
        if (!is_gone(*write->until_gone)) {
            if (cut_due_) return false;
            write->result = log_is_not_cut();
        }
        done.push_back(write);
        return true;
    });
    begin_clearing(done);
    resume_all(done, posting_);
}

Result<> SqliteWriter::run_transaction(std::span<PendingWrite* const> batch) {
    CHECK(writing_->run("BEGIN IMMEDIATE"));
    const AuditPosition audit_end = writing_->kept_audit_end();
    if (batch.size() == 1) {
        run_alone(*batch.front());
        if (!batch.front()->result) return {};
    } else {
        for (PendingWrite* write : batch) CHECK(run_in_savepoint(*write));
    }
    // One signature for all deletions of the batch.
    if (writing_->kept_audit_end() != audit_end) {
        CHECK(store_audit_end(*writing_, writing_->kept_audit_end()));
    }
    return writing_->run("COMMIT");
}

void SqliteWriter::run_alone(PendingWrite& write) {
    const AuditPosition audit_end = writing_->kept_audit_end();
    write.result = guarded(write, *writing_);
    write.clears_traces = writing_->take_clearing();
    if (write.result) return;
    writing_->roll_back();
    writing_->keep_audit_end(audit_end);
}

// An error means that the whole transaction is lost.
Result<> SqliteWriter::run_in_savepoint(PendingWrite& write) {
    CHECK(writing_->run("SAVEPOINT one_write"));
    const AuditPosition audit_end = writing_->kept_audit_end();
    write.result = guarded(write, *writing_);
    write.clears_traces = writing_->take_clearing();
    if (!write.result) {
        // Some errors (a full disk, for one) make SQLite roll everything back.
        if (!writing_->in_transaction())
            return fail(Errc::unavailable, write.result.error().detail);
        CHECK(writing_->run("ROLLBACK TO one_write"));
        writing_->keep_audit_end(audit_end);
    }
    return writing_->run("RELEASE one_write");
}

void SqliteWriter::begin_clearing(Batch& batch) {
    std::erase_if(batch, [this](PendingWrite* write) {
        if (!write->clears_traces || !write->result) return false;
        write->result = cleaner_.add(writing_->handle(), *write);
        return write->result.has_value();
    });
}

// What was written since the last time goes into the file first: only there pages can be cleared.
void SqliteWriter::clear_some() {
    if (erase_due_ || log_frames_ > 0) empty_log(0ms);
    if (erase_due_) return;
    Batch done;
    Result<> cleared;
    {
        const std::lock_guard lock(checkpoint_);
        cleared = cleaner_.step(writing_->handle(), done);
    }
    if (!cleared) {
        log::error("metadata_traces_stay", {{"detail", cleared.error().detail}});
        done = cleaner_.give_up();
        for (PendingWrite* write : done) write->result = cleared;
    }
    if (!done.empty()) resume_all(done, posting_);
}

void SqliteWriter::end_clearing() {
    const Batch waiting = cleaner_.give_up();
    for (PendingWrite* write : waiting) {
        write->result = fail(Errc::timed_out, "stopped before all traces were cleared");
    }
    if (!waiting.empty()) resume_all(waiting, posting_);
}

// Copies the log into the database file and cuts it to nothing, for good.
void SqliteWriter::empty_log(std::chrono::milliseconds patience) {
    const std::lock_guard lock(checkpoint_);
    writing_->set_patience(patience);
    int code = sqlite3_wal_checkpoint_v2(writing_->handle(), "main", SQLITE_CHECKPOINT_TRUNCATE,
                                         nullptr, nullptr);
    writing_->set_patience(lock_wait_max);
    if (code == SQLITE_OK) code = sync_log(writing_->handle());
    if (code == SQLITE_OK) {
        erase_due_ = false;
        in_the_way_ = false;
        gone_ = erasures_.load();
        log_frames_ = 0;
        copy_at_frames_ = frames_before_copy;
        return;
    }
    erase_due_ = true;
    if (!std::exchange(in_the_way_, true)) {
        const Error error = sqlite_error(writing_->handle(), code, "empty the log");
        log::warn("metadata_erase_delayed", {{"detail", error.detail}});
    }
}

// Copies what was written since the last copy; the next commit then writes from the log's
// beginning. In the way is only a reader that has been busy all the time.
void SqliteWriter::restart_log() {
    if (log_frames_ == 0) return;
    const std::lock_guard lock(checkpoint_);
    writing_->set_patience(restart_wait_max);
    const int code = sqlite3_wal_checkpoint_v2(writing_->handle(), "main",
                                               SQLITE_CHECKPOINT_RESTART, nullptr, nullptr);
    writing_->set_patience(lock_wait_max);
    copy_at_frames_ = frames_before_copy;
    if (code == SQLITE_OK) {
        log_frames_ = 0;
    } else {
        copy_at_frames_ += log_frames_;
    }
}

void SqliteWriter::ask_for_copy() {
    copy_at_frames_ = log_frames_ + frames_before_copy;
    {
        const std::lock_guard lock(mutex_);
        copy_wanted_ = true;
    }
    copier_wakes_.notify_one();
}

void SqliteWriter::copy_loop() {
    take_short_turns();
    std::unique_lock lock(mutex_);
    for (;;) {
        copier_wakes_.wait(lock, [this] { return copy_wanted_ || copier_stops_; });
        if (copier_stops_) return;
        copy_wanted_ = false;
        lock.unlock();
        int code = SQLITE_OK;
        {
            const std::lock_guard checkpoint(checkpoint_);
            code = sqlite3_wal_checkpoint_v2(copying_->handle(), "main", SQLITE_CHECKPOINT_PASSIVE,
                                             nullptr, nullptr);
        }
        if (code != SQLITE_OK) {
            const Error error = sqlite_error(copying_->handle(), code, "copy the log");
            log::warn("metadata_copy_failed", {{"detail", error.detail}});
        }
        lock.lock();
        copied_ = true;
        writer_wakes_.notify_one();
    }
}

}  // namespace satchel::meta
