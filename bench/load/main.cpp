// Load generator for HTTP/1.1 on loopback. bench/README.md says what it measures and how.
#include "client.hpp"
#include "options.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

namespace {

std::string quote(const std::string& text) {
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            quoted += '\\';
            quoted += c;
        } else if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) {
            quoted += '.';
        } else {
            quoted += c;
        }
    }
    return quoted + '"';
}

double percentile_ms(const std::vector<std::uint32_t>& sorted_us, double part) {
    if (sorted_us.empty()) return 0;
    const auto last = static_cast<double>(sorted_us.size() - 1);
    return sorted_us[static_cast<std::size_t>(part * last + 0.5)] / 1000.0;
}

void print_job(const bench::JobOptions& job, bench::JobResult& result) {
    std::ranges::sort(result.latencies_us);
    const double seconds = result.elapsed.count();
    const double divisor = seconds > 0 ? seconds : 1;
    const auto moved = static_cast<double>(result.bytes_in + result.bytes_out);
    std::printf("{\"mode\":%s,\"connections\":%zu,\"requests\":%llu,\"turns\":%llu,",
                quote(job.name).c_str(), job.connections,
                static_cast<unsigned long long>(result.requests),
                static_cast<unsigned long long>(result.turns));
    std::printf("\"bytes_in\":%llu,\"bytes_out\":%llu,\"seconds\":%.6f,",
                static_cast<unsigned long long>(result.bytes_in),
                static_cast<unsigned long long>(result.bytes_out), seconds);
    std::printf("\"turns_per_second\":%.1f,\"bytes_per_second\":%.0f,",
                static_cast<double>(result.turns) / divisor, moved / divisor);
    std::printf("\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,",
                percentile_ms(result.latencies_us, 0.50), percentile_ms(result.latencies_us, 0.99),
                percentile_ms(result.latencies_us, 1.0));
    std::printf("\"reconnects\":%llu,\"open_at_end\":%zu,\"wrong\":%llu,\"messages\":[",
                static_cast<unsigned long long>(result.reconnects), result.open_at_end,
                static_cast<unsigned long long>(result.wrong));
    for (std::size_t i = 0; i < result.messages.size(); ++i) {
        std::printf("%s%s", i == 0 ? "" : ",", quote(result.messages[i]).c_str());
    }
    std::printf("]}");
}

void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    const std::vector<bench::JobOptions> jobs =
        bench::parse_jobs({argv + 1, static_cast<std::size_t>(argc - 1)});
    std::vector<bench::JobResult> results = bench::run_jobs(jobs);
    bool right = true;
    std::printf("{\"jobs\":[");
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (i > 0) std::printf(",");
        print_job(jobs[i], results[i]);
        right = right && results[i].wrong == 0;
    }
    std::printf("]}\n");
    return right ? 0 : 1;
}
