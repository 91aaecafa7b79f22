// Sound and video: an ffmpeg of its own, in a jail of its own (bubblewrap.hpp), for every order.
//
// Forms (converter.hpp) and what comes of them:
//   m4a       audio/mp4: AAC at the source's sample rate, one or two channels;
//   voice     audio/x-m4a: AAC, one channel, 44.1 kHz, 64 kbit/s;
//   waveform  application/json: see waveform.hpp;
//   preview   image/jpeg: the first video frame, upright, no wider than Order::width;
//   stripped  the source's type: packets copied, without metadata, chapters and tracks other than
//             sound and picture; the display matrix (orientation) and colour stay.
// Which types each is made of: ffmpeg_command.hpp.
//
// Exit status 0 proves nothing: the product is sealed, then read again (movie_facts.hpp), and its
// codec, tracks and duration must be those that were asked for.
#pragma once

#include "media/bubblewrap.hpp"
#include "media/converter.hpp"
#include "media/job_places.hpp"

#include <string>
#include <vector>

namespace satchel::media {

// What an operator should know of this machine, one sentence each.
struct FfmpegReport {
    bool is_usable = false;             // The jail works and ffmpeg runs in it.
    std::string version;                // Of ffmpeg: "5.1.9-0+deb12u1".
    std::vector<std::string> problems;  // What is missing, what it is for and what helps.
};

// Used on any number of loops at once; outlives its coroutines.
class FfmpegJail : public Converter {
public:
    explicit FfmpegJail(JailSetup setup = {});

    // As Converter says. Sound that is longer than limits::sound_duration_max is too_large: at
    // once if the header says so, otherwise when so much was converted.
    Async<Product> convert(Order order) override;

    // Starts the jail as convert() does, and asks ffmpeg what it was built with.
    Task<FfmpegReport> examine();

private:
    Async<std::string> ask(std::vector<std::string> arguments);

    JailSetup setup_;
    JobPlaces places_;
};

}  // namespace satchel::media
