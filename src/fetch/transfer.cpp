#include "fetch/transfer.hpp"

#include "base/limits.hpp"

#include <sys/socket.h>

#include <algorithm>

namespace satchel::fetch {
namespace {

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
    // An option that did not take would be a hole in the guard.
    ASSERT(libcurl().easy_setopt(easy, option, value) == CURLE_OK);
}

std::string_view first_header(CURL* easy, const char* name) {
    curl_header* header = nullptr;
    if (libcurl().easy_header(easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK) return {};
    return header->value;
}

bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool same_token(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) {
        return (x >= 'A' && x <= 'Z' ? static_cast<char>(x - 'A' + 'a') : x) == y;
    });
}

int status_of(CURL* easy) {
    long status = 0;
    libcurl().easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return static_cast<int>(status);
}

}  // namespace

// What libcurl calls. None may let an exception through.
struct Transfer::Callbacks {
    // The guard: every socket of every hop is made here, after the name was resolved.
    static curl_socket_t open_socket(void* self, curlsocktype purpose, curl_sockaddr* target) {
        auto& transfer = *static_cast<Transfer*>(self);
        if (purpose != CURLSOCKTYPE_IPCXN) return CURL_SOCKET_BAD;
        const auto address = Address::from(target->addr, target->addrlen);
        if (!address || !transfer.rules_.allows(*address)) {
            transfer.blocked_ = address ? block_of(*address).name : "not an Internet address";
            return CURL_SOCKET_BAD;
        }
        return ::socket(target->family, target->socktype | SOCK_CLOEXEC, target->protocol);
    }

    // Before each request on a connection, new or kept.
    static int connected(
        void* self, char* peer, char* /*own*/, int /*peer_port*/, int /*own_port*/) {
        return static_cast<Transfer*>(self)->may_talk_to(peer) ? CURL_PREREQFUNC_OK
                                                               : CURL_PREREQFUNC_ABORT;
    }

    static int progress(void* self,
                        curl_off_t /*to_download*/,
                        curl_off_t downloaded,
                        curl_off_t /*to_upload*/,
                        curl_off_t uploaded) {
        return static_cast<Transfer*>(self)->is_moving(downloaded + uploaded) ? 0 : 1;
    }

    static std::size_t header(char* line, std::size_t one, std::size_t size, void* self) {
        auto& transfer = *static_cast<Transfer*>(self);
        transfer.head_bytes_ += size * one;
        if (transfer.head_bytes_ > limits::outbound_head_bytes_max) {
            transfer.stop(Failure::bad_status, "the answer's head is too long");
            return 0;
        }
        const std::string_view text(line, size * one);
        const bool last = text == "\r\n" || text == "\n";
        if (!last || transfer.head_complete_) return text.size();
        const int status = status_of(transfer.easy());
        if (status < 200) return text.size();  // An interim answer.
        transfer.head_complete_ = true;
        transfer.outcome_.status = status;
        return transfer.judge_head() ? text.size() : 0;
    }

    static std::size_t write(char* bytes, std::size_t one, std::size_t size, void* self) {
        const std::string_view text(bytes, size * one);
        if (text.empty()) return 0;
        return static_cast<Transfer*>(self)->take_body(text) ? text.size() : 0;
    }
};

void Transfer::begin(Easy easy) {
    easy_ = std::move(easy);
    prepare_hop();
}

void Transfer::prepare_hop() {
    head_bytes_ = 0;
    ignored_bytes_ = 0;
    head_complete_ = false;
    stopped_ = false;
    connected_ = false;
    bytes_moved_ = 0;
    blocked_.clear();
    curl_detail_[0] = '\0';
    outcome_ = {};
    outcome_.url = job_.url.text();
    libcurl().easy_reset(easy());
    set_network_options();
    set_request_options();
}

void Transfer::set_network_options() {
    const Policy& policy = rules_.policy();
    set(easy(), CURLOPT_CURLU, job_.url.handle());
    set(easy(), CURLOPT_PROTOCOLS_STR, policy.allow_http ? "http,https" : "https");
    set(easy(), CURLOPT_OPENSOCKETFUNCTION, &Callbacks::open_socket);
    set(easy(), CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
    set(easy(), CURLOPT_PREREQFUNCTION, &Callbacks::connected);
    set(easy(), CURLOPT_PREREQDATA, static_cast<void*>(this));
    // An empty string, unlike none, also switches off http_proxy and its kin.
    set(easy(), CURLOPT_PROXY, "");
    set(easy(), CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    set(easy(), CURLOPT_FOLLOWLOCATION, 0L);
    set(easy(), CURLOPT_NOSIGNAL, 1L);
    // A timed-out transfer must not wait for the thread that still resolves its name.
    set(easy(), CURLOPT_QUICK_EXIT, 1L);
    set(easy(), CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(easy(), CURLOPT_SSL_VERIFYPEER, 1L);
    set(easy(), CURLOPT_SSL_VERIFYHOST, 2L);
    set(easy(), CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    // Parsed certificates are kept only if they come from one file.
    set(easy(), CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    if (!policy.ca_file.empty()) set(easy(), CURLOPT_CAINFO, policy.ca_file.c_str());

    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        job_.deadline - std::chrono::steady_clock::now());
    const auto total = std::max<std::int64_t>(left.count(), 1);
    set(easy(), CURLOPT_TIMEOUT_MS, static_cast<long>(total));
    const auto connect = std::min<std::int64_t>(policy.connect_max.count(), total);
    set(easy(), CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect));
}

void Transfer::set_request_options() {
    set(easy(), CURLOPT_ERRORBUFFER, static_cast<char*>(curl_detail_));
    set(easy(), CURLOPT_HEADERFUNCTION, &Callbacks::header);
    set(easy(), CURLOPT_HEADERDATA, static_cast<void*>(this));
    set(easy(), CURLOPT_WRITEFUNCTION, &Callbacks::write);
    set(easy(), CURLOPT_WRITEDATA, static_cast<void*>(this));
    set(easy(), CURLOPT_USERAGENT, "Satchel");
    if (job_.headers) set(easy(), CURLOPT_HTTPHEADER, job_.headers.get());
    if (job_.verb == Verb::get) {
        // libcurl's own low-speed limit looks at the mean of five seconds: far too late.
        set(easy(), CURLOPT_NOPROGRESS, 0L);
        set(easy(), CURLOPT_XFERINFOFUNCTION, &Callbacks::progress);
        set(easy(), CURLOPT_XFERINFODATA, static_cast<void*>(this));
        // Only a Content-Length is held to this: take_body() counts.
        set(easy(), CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(job_.bytes_max));
        return;
    }
    set(easy(), CURLOPT_POST, 1L);
    if (job_.method != "POST") set(easy(), CURLOPT_CUSTOMREQUEST, job_.method.c_str());
    set(easy(), CURLOPT_POSTFIELDS, job_.body.data());
    set(easy(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(job_.body.size()));
}

bool Transfer::stop(Failure failure, std::string detail) {
    decide(failure, std::move(detail));
    stopped_ = true;
    return false;
}

bool Transfer::may_talk_to(const char* peer) {
    const auto address = Address::parse(peer);
    if (!address || !rules_.allows(*address)) {
        return stop(Failure::bad_url, "the connection's other end is not allowed");
    }
    connected_ = true;
    moved_at_ = std::chrono::steady_clock::now();
    return true;
}

bool Transfer::is_moving(curl_off_t bytes_moved) {
    if (!connected_) return true;  // CURLOPT_CONNECTTIMEOUT_MS is in force.
    const auto now = std::chrono::steady_clock::now();
    const auto all_moved = bytes_moved + static_cast<curl_off_t>(head_bytes_);
    if (all_moved != bytes_moved_) {
        bytes_moved_ = all_moved;
        moved_at_ = now;
    }
    if (now - moved_at_ <= rules_.policy().idle_max) return true;
    if (head_complete_ && !keeps_body()) return false;  // The status stands.
    return stop(Failure::timed_out, "nothing came for too long");
}

bool Transfer::judge_head() {
    if (!keeps_body()) return true;
    return judge_encoding("Content-Encoding", "identity") &&
           judge_encoding("Transfer-Encoding", "chunked");
}

// We offer no coding. libcurl would undo a transfer coding unasked, so that is refused as well.
bool Transfer::judge_encoding(const char* header, std::string_view harmless) {
    for (std::size_t index = 0;; ++index) {
        curl_header* found = nullptr;
        if (libcurl().easy_header(easy(), header, index, CURLH_HEADER, -1, &found) != CURLHE_OK)
            break;
        const std::string_view value = found->value;
        if (!value.empty() && !same_token(value, harmless)) {
            return stop(Failure::bad_status, std::string(header) + " is not acceptable");
        }
    }
    return true;
}

bool Transfer::take_body(std::string_view bytes) {
    if (!keeps_body()) {
        // Read to keep the connection, but not for long. The status stands either way.
        ignored_bytes_ += bytes.size();
        if (job_.verb == Verb::post) keep_answer(bytes);
        return ignored_bytes_ <= limits::outbound_ignored_bytes_max;
    }
    if (bytes.size() > job_.bytes_max - outcome_.body.size()) {
        return stop(Failure::too_large, "more bytes than allowed");
    }
    append(bytes);
    return true;
}

void Transfer::keep_answer(std::string_view bytes) {
    append(bytes.substr(0, job_.bytes_max - outcome_.body.size()));
}

void Transfer::append(std::string_view bytes) {
    const ByteView view = as_bytes(bytes);
    outcome_.body.insert(outcome_.body.end(), view.begin(), view.end());
}

void Transfer::decide(Failure failure, std::string detail) {
    outcome_.failure = failure;
    outcome_.detail = std::move(detail);
    if (failure != Failure::none) outcome_.body = {};
}

bool Transfer::go_on(CURLcode code) {
    if (stopped_) return false;
    if (head_complete_ && !keeps_body()) return decide_by_status();
    if (code != CURLE_OK) {
        decide_by_code(code);
        return false;
    }
    char* type = nullptr;
    libcurl().easy_getinfo(easy(), CURLINFO_CONTENT_TYPE, &type);
    if (type != nullptr) outcome_.content_type = type;
    return false;
}

bool Transfer::decide_by_status() {
    if (job_.verb == Verb::post) return false;
    if (is_redirect(outcome_.status)) return follow();
    decide(Failure::bad_status, "status " + std::to_string(outcome_.status));
    return false;
}

bool Transfer::follow() {
    const std::string location(first_header(easy(), "Location"));
    if (location.empty()) {
        decide(Failure::bad_status, "a redirect to nowhere");
        return false;
    }
    if (++redirects_ > rules_.policy().redirects_max) {
        decide(Failure::too_many_redirects, "too many redirects");
        return false;
    }
    auto next = rules_.check_redirect(job_.url, location);
    if (!next) {
        decide(Failure::bad_url, "redirect: " + next.error().detail);
        return false;
    }
    job_.url = *std::move(next);
    prepare_hop();
    return true;
}

void Transfer::decide_by_code(CURLcode code) {
    const char* const detail =
        curl_detail_[0] != '\0' ? curl_detail_ : libcurl().easy_strerror(code);
    switch (code) {
        case CURLE_OPERATION_TIMEDOUT:
            return decide(Failure::timed_out, detail);
        case CURLE_FILESIZE_EXCEEDED:
            return decide(Failure::too_large, "more bytes announced than allowed");
        case CURLE_URL_MALFORMAT:
        case CURLE_UNSUPPORTED_PROTOCOL:
            return decide(Failure::bad_url, detail);
        case CURLE_COULDNT_CONNECT:
            if (blocked_.empty()) break;
            return decide(Failure::bad_url, "the address is not allowed: " + blocked_);
        default:
            break;
    }
    decide(Failure::unreachable, detail);
}

Easy Transfer::finish() {
    return finish(std::move(outcome_));
}

Easy Transfer::finish(Result<Outcome> outcome) {
    std::exchange(done_, {})(std::move(outcome));
    return std::move(easy_);
}

}  // namespace satchel::fetch
