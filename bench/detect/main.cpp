// How long it takes to see what a file is: satchel_detect_bench RUNS. Looks at every file of
// tests/data/media so often, in memory, and checks what it is taken for. Prints one JSON object.
#include "media/detect.hpp"
#include "tests/support/media_samples.hpp"
#include "tests/support/run.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

using namespace satchel;
using Microseconds = std::chrono::duration<double, std::micro>;

struct Look {
    media::Detected found;
    Microseconds took{};
};

// On a loop that turns already: what a request pays.
Async<std::vector<Look>> look_often(ByteView bytes, int runs) {
    std::vector<Look> looks;
    for (int i = 0; i < runs; ++i) {
        media::BytesContent content(bytes);
        const auto began = std::chrono::steady_clock::now();
        CO_TRY(media::Detected found, co_await media::detect(content));
        const Microseconds took = std::chrono::steady_clock::now() - began;
        looks.push_back({std::move(found), took});
    }
    co_return looks;
}

std::string read(std::string_view name) {
    std::ifstream file(SATCHEL_SOURCE_DIR "/tests/data/media/" + std::string(name),
                       std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

double at(std::vector<double>& values, double part) {
    std::ranges::sort(values);
    const auto last = static_cast<double>(values.size() - 1);
    return values[static_cast<std::size_t>(part * last + 0.5)];
}

}  // namespace

int main(int argc, char** argv) {
    const int runs = argc == 2 ? std::atoi(argv[1]) : 0;
    if (runs < 1) {
        std::fputs("usage: satchel_detect_bench RUNS\n", stderr);
        return 2;
    }
    std::vector<double> medians;
    std::vector<double> all;
    std::string slowest;
    double slowest_median = 0;
    for (const auto& sample : test::media_samples) {
        const std::string bytes = read(sample.file);
        const auto looks = test::run(look_often(as_bytes(bytes), runs));
        std::vector<double> times;
        for (const Look& look : looks.value()) {
            if (look.found.type != sample.type || look.found.forbidden != sample.forbidden) {
                std::fprintf(stderr, "%s is taken for something else\n", sample.file.data());
                return 1;
            }
            times.push_back(look.took.count());
            all.push_back(look.took.count());
        }
        medians.push_back(at(times, 0.5));
        if (medians.back() > slowest_median) {
            slowest_median = medians.back();
            slowest = sample.file;
        }
    }
    const std::size_t files = medians.size();
    std::printf(
        "{\"files\":%zu,\"runs\":%d,\"median_us\":%.2f,\"p99_us\":%.2f,"
        "\"slowest\":\"%s\",\"slowest_median_us\":%.2f}\n",
        files, runs, at(medians, 0.5), at(all, 0.99), slowest.c_str(), slowest_median);
    return 0;
}
