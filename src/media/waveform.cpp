#include "media/waveform.hpp"

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "media/memory_file.hpp"

#include <algorithm>
#include <cstdlib>
#include <vector>

namespace satchel::media {
namespace {

constexpr std::size_t sample_bytes = 2;

int loudness(const std::byte* sample) {
    const auto low = std::to_integer<unsigned>(sample[0]);
    const auto high = std::to_integer<unsigned>(sample[1]);
    return std::abs(static_cast<int>(static_cast<std::int16_t>(low | high << 8)));
}

std::string render(std::chrono::milliseconds duration, const std::vector<int>& peaks) {
    constexpr int full_scale = 32'768;
    std::string json = "{\"duration_ms\":" + std::to_string(duration.count()) + ",\"peaks\":[";
    for (std::size_t i = 0; i < peaks.size(); ++i) {
        if (i > 0) json += ',';
        json += std::to_string((peaks[i] * 100 + full_scale / 2) / full_scale);
    }
    return json + "]}";
}

}  // namespace

Result<Waveform> read_waveform(const Descriptor& samples, std::uint32_t sample_rate) {
    TRY(const std::uint64_t size, size_of(samples));
    const std::uint64_t count = size / sample_bytes;
    if (count == 0) return fail(Errc::corrupt, "no sound");
    std::vector<int> peaks(std::min<std::uint64_t>(count, limits::waveform_peaks));
    Bytes piece(64 * limits::KiB);
    for (std::uint64_t first = 0; first < count;) {
        TRY(const std::size_t got, read_at(samples, piece, first * sample_bytes));
        const std::size_t there = got / sample_bytes;
        if (there == 0) return fail(Errc::corrupt, "samples are missing");
        for (std::size_t i = 0; i < there; ++i) {
            int& peak = peaks[(first + i) * peaks.size() / count];
            peak = std::max(peak, loudness(&piece[i * sample_bytes]));
        }
        first += there;
    }
    const std::chrono::milliseconds duration(count * 1000 / sample_rate);
    return Waveform{duration, render(duration, peaks)};
}

}  // namespace satchel::media
