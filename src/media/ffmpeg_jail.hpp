// Sound and video: an ffmpeg of its own, in a jail of its own (bubblewrap.hpp), for every order.
//
// Forms (converter.hpp) and what comes of them:
//   m4a       audio/mp4: AAC at the source's sample rate, one or two channels;
//   voice     audio/x-m4a: AAC, one channel, 44.1 kHz, 64 kbit/s;
//   waveform  application/json: see waveform.hpp;
//   preview   image/jpeg: the first video frame or a BMP, upright, no wider than Order::width;
//   stripped  the source's type: packets copied, without metadata, chapters and tracks other than
//             sound and picture; the display matrix (orientation) and colour stay.
// Which types each is made of: ffmpeg_command.hpp.
//
// Exit status 0 proves nothing: the product is sealed, then read again (movie_facts.hpp), and its
// codec, tracks and duration must be those that were asked for.
#pragma once

#include "media/bubblewrap.hpp"
#include "media/converter.hpp"
#include "media/memory_budget.hpp"

#include <string>
#include <vector>

namespace satchel::media {

// What an operator should know of this machine, one sentence each.
struct FfmpegReport {
    bool is_usable = false;             // The jail works and ffmpeg runs in it.
    std::string version;                // Of ffmpeg: "5.1.9-0+deb12u1".
    std::vector<std::string> problems;  // What is missing, what it is for and what helps.
};

// Used on one loop, that of the budget; outlives its coroutines.
class FfmpegJail : public Converter {
public:
    explicit FfmpegJail(MemoryBudget& budget, JailSetup setup = {});

    // As Converter says. Sound that is longer than limits::sound_duration_max is too_large: at
    // once if the header says so, otherwise when so much was converted.
    Async<Product> convert(Order order) override;

    // Jobs end within limits::ffmpeg_look_interval, later ones are not begun: Errc::unavailable.
    // Those that wait for memory are the budget's to end.
    void stop() { stopping_ = true; }

    // Starts the jail as convert() does, and asks ffmpeg what it was built with.
    Task<FfmpegReport> examine();

private:
    Async<std::string> ask(std::vector<std::string> arguments);

    MemoryBudget& budget_;
    JailSetup setup_;
    bool stopping_ = false;
};

}  // namespace satchel::media
