// Loudness over time, for the bars that a chat client draws beside a voice memo.
//
// JSON and not a picture: clients draw bars in their own colours and sizes and tint those that
// were played; a hundred numbers are smaller than any picture and need no decoder.
#pragma once

#include "base/descriptor.hpp"
#include "base/result.hpp"

#include <chrono>
#include <string>

namespace satchel::media {

struct Waveform {
    std::chrono::milliseconds duration{0};
    std::string json;  // {"duration_ms":1500,"peaks":[0,17,...]}
};

// `samples` has 16-bit little-endian samples of one channel. The sound is cut into
// limits::waveform_peaks pieces of one length (fewer if it has fewer samples); of each the
// loudest sample counts, in per cent of full scale. Errc::corrupt if there is no sample.
Result<Waveform> read_waveform(const Descriptor& samples, std::uint32_t sample_rate);

}  // namespace satchel::media
