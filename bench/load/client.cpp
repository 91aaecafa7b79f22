#include "client.hpp"

#include "job.hpp"

#include <strings.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <utility>

namespace bench {
namespace {

using namespace std::chrono_literals;

// What one connection moves before the others get their turn.
constexpr std::size_t turn_bytes_max = 512UL * 1024;
constexpr std::size_t write_bytes_max = 256UL * 1024;
constexpr std::size_t head_bytes_max = 64UL * 1024;
constexpr std::size_t collected_bytes_max = 1024UL * 1024;
constexpr std::size_t opening_max = 128;  // Less than any server's listen backlog.
constexpr std::size_t wrong_max = 10;     // Then the run is given up.
constexpr auto stall_max = 60s;

class Connection;

// What the connections share.
struct Loop {
    int epoll = -1;
    TlsContext tls = make_tls_context();
    std::vector<Connection*> pending;  // With bytes inside the TLS layer.
    std::deque<Connection*> waiting;   // For a turn to be due.
    std::size_t opening = 0;
    bool running = false;  // The clock has been started.
    std::array<char, 128UL * 1024> buffer{};
};

class Connection {
public:
    Connection(Loop& loop, Job& job) : loop_(loop), job_(job) {}

    void open();
    void start_turn();
    void on_ready();
    void receive();
    bool is_open() const { return state_ == State::idle || state_ == State::busy; }
    void stop_waiting() {
        --job_.waiting;
        if (state_ == State::idle) start_turn();
    }

private:
    enum class State { closed, opening, idle, busy };

    void wait_for(std::uint32_t events);
    void continue_opening();
    void send_request(Request request);
    void write();
    bool consume(std::string_view bytes);  // False when the answer has ended, or was wrong.
    bool parse_head(std::string_view head);
    bool check_body(std::string_view bytes);
    void finish_answer();
    void fail(const std::string& message);
    void on_lost(Io why);
    std::string what() const;

    Loop& loop_;
    Job& job_;
    Socket socket_;
    State state_ = State::closed;
    std::uint32_t waited_for_ = 0;

    Request request_;
    Clock::time_point turn_started_;
    std::size_t sent_ = 0;
    bool reused_ = false;  // An answer came on this connection before.

    std::string head_;
    bool head_done_ = false;
    int status_ = 0;
    std::uint64_t body_size_ = 0;
    std::uint64_t body_read_ = 0;
    bool close_after_ = false;
    std::string collected_;
};

void Connection::open() {
    if (!socket_.open(job_.options().target, loop_.tls.get())) die("cannot connect");
    state_ = State::opening;
    reused_ = false;
    ++loop_.opening;
    waited_for_ = EPOLLOUT;
    epoll_event event{};
    event.events = waited_for_;
    event.data.ptr = this;
    if (epoll_ctl(loop_.epoll, EPOLL_CTL_ADD, socket_.descriptor(), &event) != 0) die("epoll");
}

void Connection::wait_for(std::uint32_t events) {
    if (events == waited_for_) return;
    waited_for_ = events;
    epoll_event event{};
    event.events = events;
    event.data.ptr = this;
    epoll_ctl(loop_.epoll, EPOLL_CTL_MOD, socket_.descriptor(), &event);
}

void Connection::on_ready() {
    switch (state_) {
        case State::closed:
            return;
        case State::opening:
            return continue_opening();
        case State::idle:
        case State::busy:
            break;
    }
    const std::size_t whole = request_.head.size() + request_.body.size();
    if (state_ == State::busy && sent_ < whole) write();
    if (is_open()) receive();
}

void Connection::continue_opening() {
    switch (socket_.handshake()) {
        case Io::ready:
            break;
        case Io::wait_read:
            return wait_for(EPOLLIN);
        case Io::wait_write:
            return wait_for(EPOLLOUT);
        case Io::closed:
        case Io::failed:
            die("connection to port " + std::to_string(job_.options().target.port) +
                " refused or TLS failed");
    }
    --loop_.opening;
    ++job_.opened;
    state_ = State::idle;
    wait_for(EPOLLIN);
    if (sent_ == 0 && !request_.head.empty()) {
        send_request(std::move(request_));  // Begun before the connection was lost.
    } else if (loop_.running) {
        start_turn();
    }
}

void Connection::start_turn() {
    const Clock::time_point due = job_.due();
    if (due > Clock::now()) {
        ++job_.waiting;
        loop_.waiting.push_back(this);
        return;
    }
    std::optional<Request> request = job_.next();
    if (!request) return;
    ++job_.busy;
    turn_started_ = due;
    send_request(std::move(*request));
}

void Connection::send_request(Request request) {
    request_ = std::move(request);
    state_ = State::busy;
    sent_ = 0;
    head_.clear();
    head_done_ = false;
    status_ = 0;
    body_size_ = body_read_ = 0;
    collected_.clear();
    write();
}

void Connection::write() {
    const std::size_t whole = request_.head.size() + request_.body.size();
    std::size_t budget = turn_bytes_max;
    while (sent_ < whole && budget > 0) {
        const std::size_t in_head = std::min(sent_, request_.head.size());
        const std::string_view first = std::string_view(request_.head).substr(in_head);
        const std::string_view second =
            request_.body.substr(sent_ - in_head, std::min(budget, write_bytes_max));
        const Moved moved = socket_.write(first, second);
        if (moved.io == Io::wait_write) break;
        if (moved.io == Io::wait_read) return wait_for(EPOLLIN);
        if (moved.io != Io::ready) {
            // The server may have answered before it closed; receive() finds out.
            sent_ = whole;
            return wait_for(EPOLLIN);
        }
        job_.result().bytes_out += moved.bytes - std::min(moved.bytes, first.size());
        sent_ += moved.bytes;
        budget -= std::min(budget, moved.bytes);
    }
    wait_for(sent_ < whole ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void Connection::receive() {
    std::size_t budget = turn_bytes_max;
    while (budget > 0) {
        const Moved moved = socket_.read(loop_.buffer);
        if (moved.io == Io::wait_read || moved.io == Io::wait_write) return;
        if (moved.io != Io::ready) return on_lost(moved.io);
        if (state_ != State::busy) return fail("bytes that nobody asked for");
        if (!consume({loop_.buffer.data(), moved.bytes})) return;
        budget -= std::min(budget, moved.bytes);
    }
    if (socket_.has_pending()) loop_.pending.push_back(this);
}

bool Connection::consume(std::string_view bytes) {
    if (!head_done_) {
        const std::size_t had = head_.size();
        head_.append(bytes.substr(0, head_bytes_max));
        const std::size_t end = head_.find("\r\n\r\n", had < 3 ? 0 : had - 3);
        if (end == std::string::npos) {
            if (head_.size() < head_bytes_max) return true;
            fail("an endless head");
            return false;
        }
        bytes.remove_prefix(end + 4 - had);
        head_.resize(end + 2);
        if (!parse_head(head_)) return false;
        head_done_ = true;
    }
    if (bytes.size() > body_size_ - body_read_) {
        fail("more bytes than Content-Length");
        return false;
    }
    if (!check_body(bytes)) return false;
    body_read_ += bytes.size();
    job_.result().bytes_in += bytes.size();
    if (body_read_ < body_size_) return true;
    finish_answer();
    return false;
}

// `head` is the status line and the header lines, each ended by CRLF.
bool Connection::parse_head(std::string_view head) {
    if (head.size() < 14 || !head.starts_with("HTTP/1.1 ")) {
        fail("not an HTTP/1.1 answer");
        return false;
    }
    std::from_chars(head.data() + 9, head.data() + 12, status_);
    bool sized = status_ == 204 || status_ == 304;
    bool supported = true;
    for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
        const std::size_t end = head.find("\r\n", at);
        const std::string_view line = head.substr(at, end - at);
        at = end + 2;
        const std::size_t colon = std::min(line.find(':'), line.size());
        const auto is = [&](const char* name) {
            return colon == std::strlen(name) && strncasecmp(line.data(), name, colon) == 0;
        };
        std::string_view value = line.substr(std::min(colon + 1, line.size()));
        value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
        if (is("content-length")) {
            const auto end_at = value.data() + value.size();
            sized = std::from_chars(value.data(), end_at, body_size_).ec == std::errc();
        } else if (is("connection")) {
            close_after_ = value == "close";
        } else if (is("transfer-encoding")) {
            supported = false;
        }
    }
    if (!sized || !supported) fail("an answer without Content-Length");
    return sized && supported;
}

bool Connection::check_body(std::string_view bytes) {
    // A wrong status fails once its body, which says why, has been read.
    if (request_.expected && status_ == request_.status) {
        const std::string_view expected = *request_.expected;
        if (body_size_ != expected.size()) {
            fail("a body of " + std::to_string(body_size_) + " bytes, not " +
                 std::to_string(expected.size()));
            return false;
        }
        if (std::memcmp(expected.data() + body_read_, bytes.data(), bytes.size()) != 0) {
            fail("WRONG BYTES at offset " + std::to_string(body_read_) + " or after");
            return false;
        }
        return true;
    }
    if (collected_.size() < collected_bytes_max) collected_.append(bytes);
    return true;
}

void Connection::finish_answer() {
    if (status_ != request_.status) {
        return fail("status " + std::to_string(status_) + ": " + collected_.substr(0, 300));
    }
    if (sent_ < request_.head.size() + request_.body.size()) {
        return fail("the answer came before the whole request was sent");
    }
    Verdict verdict = job_.work().answered(request_, collected_);
    if (!verdict.error.empty()) return fail(verdict.error);
    ++job_.result().requests;
    reused_ = true;
    if (!verdict.follow_up) {
        job_.end_turn(turn_started_);
        --job_.busy;
        state_ = State::idle;
        request_ = {};
    }
    if (close_after_) {
        close_after_ = false;
        socket_.close();
        ++job_.result().reconnects;
        sent_ = 0;
        if (verdict.follow_up) request_ = std::move(*verdict.follow_up);
        return open();
    }
    if (verdict.follow_up) return send_request(std::move(*verdict.follow_up));
    if (job_.options().work.mode != Mode::idle) start_turn();
}

std::string Connection::what() const {
    return request_.head.substr(0, std::min(request_.head.find(" HTTP/"), std::size_t{120}));
}

void Connection::fail(const std::string& message) {
    job_.wrong(what() + ": " + message);
    if (state_ == State::busy) --job_.busy;
    socket_.close();
    state_ = State::closed;
    request_ = {};
}

void Connection::on_lost(Io why) {
    const bool idle = state_ == State::idle;
    if (idle && job_.options().work.mode == Mode::idle)
        return fail("an idle connection was closed");
    // A server may close a kept connection just as a request is on its way: ask again, once.
    const bool again = state_ == State::busy && reused_ && head_.empty();
    if (!idle && !again) {
        return fail(why == Io::closed ? "closed before the answer was whole" : "connection failed");
    }
    socket_.close();
    ++job_.result().reconnects;
    sent_ = 0;
    open();
}

bool stdin_ended() {
    char byte = 0;
    const ssize_t count = read(STDIN_FILENO, &byte, 1);
    return count == 0 || (count < 0 && errno != EAGAIN);
}

class Run {
public:
    explicit Run(const std::vector<JobOptions>& options) {
        loop_.epoll = epoll_create1(EPOLL_CLOEXEC);
        for (const JobOptions& each : options) {
            Job& job = jobs_.emplace_back(each);
            for (std::size_t i = 0; i < each.connections; ++i)
                connections_.emplace_back(loop_, job);
        }
        holds_ = jobs_.front().options().work.mode == Mode::idle;
    }

    std::vector<JobResult> operator()() {
        open_all();
        start_all();
        while (!done() && !given_up()) poll();
        if (holds_ && !given_up()) hold();
        std::vector<JobResult> results;
        for (Job& job : jobs_) results.push_back(job.take_result(&job != &jobs_.front()));
        if (holds_) {
            results.front().open_at_end = static_cast<std::size_t>(
                std::ranges::count_if(connections_, [](const auto& c) { return c.is_open(); }));
        }
        return results;
    }

private:
    void open_all() {
        for (Connection& connection : connections_) {
            while (loop_.opening >= opening_max) poll();
            connection.open();
        }
        while (loop_.opening > 0) poll();
    }
    void start_all() {
        loop_.running = true;
        for (Job& job : jobs_) job.begin(Clock::now());
        for (Connection& connection : connections_) connection.start_turn();
    }
    bool done() const {
        const Job& first = jobs_.front();
        return first.busy == 0 && first.waiting == 0 && loop_.opening == 0;
    }
    void start_due() {
        for (std::size_t left = loop_.waiting.size(); left > 0; --left) {
            Connection* const next = loop_.waiting.front();
            loop_.waiting.pop_front();
            next->stop_waiting();
        }
    }
    bool given_up() {
        return std::ranges::any_of(jobs_, [](Job& job) { return job.result().wrong > wrong_max; });
    }
    void hold() {
        std::puts("holding");
        std::fflush(stdout);
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = nullptr;
        // Fails for a plain file or /dev/null: nothing to wait for.
        const bool waits = epoll_ctl(loop_.epoll, EPOLL_CTL_ADD, STDIN_FILENO, &event) == 0;
        stdin_ended_ = !waits;
        while (!stdin_ended_) poll();
    }
    void poll() {
        std::array<epoll_event, 256> events;
        const int timeout = loop_.pending.empty() && loop_.waiting.empty() ? 1000 : 0;
        const int count =
            epoll_wait(loop_.epoll, events.data(), static_cast<int>(events.size()), timeout);
        if (count > 0) moved_at_ = Clock::now();
        if (!stdin_ended_ && !holds_ && Clock::now() - moved_at_ > stall_max) die("nothing moves");
        const std::vector<Connection*> pending = std::exchange(loop_.pending, {});
        for (Connection* connection : pending) {
            if (connection->is_open()) connection->receive();
        }
        for (int i = 0; i < count; ++i) {
            void* const connection = events[static_cast<std::size_t>(i)].data.ptr;
            if (connection == nullptr) {
                stdin_ended_ = stdin_ended();
            } else {
                static_cast<Connection*>(connection)->on_ready();
            }
        }
        start_due();
    }

    Loop loop_;
    std::deque<Job> jobs_;
    std::deque<Connection> connections_;
    bool holds_ = false;
    bool stdin_ended_ = false;
    Clock::time_point moved_at_ = Clock::now();
};

}  // namespace

std::vector<JobResult> run_jobs(const std::vector<JobOptions>& jobs) {
    const auto run = std::make_unique<Run>(jobs);
    return (*run)();
}

}  // namespace bench
