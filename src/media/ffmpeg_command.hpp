// What ffmpeg is asked for each form of each type: which demuxer, which codecs, which output.
// Nothing is guessed from the bytes by ffmpeg itself. Pure; the jail is bubblewrap.hpp's.
#pragma once

#include "media/converter.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace satchel::media {

inline constexpr std::uint32_t voice_sample_rate = 44'100;
// What Form::waveform asks for: 16-bit little-endian samples of one channel.
inline constexpr std::uint32_t waveform_sample_rate = 8000;

enum class SourceKind : std::uint8_t { sound, video };

struct FfmpegSource {
    std::string_view type;     // Content type of the bytes.
    std::string_view demuxer;  // The only one that may read them.
    // The only ones that may run, beside `shared_decoders`; both comma separated.
    std::string_view own_decoders;
    std::string_view shared_decoders;
    SourceKind kind;
    std::string_view copy_muxer;  // Writes the same format again; empty where nothing does.
};

struct FfmpegCommand {
    std::vector<std::string> arguments;  // Reads jail_input, writes jail_output.
    std::string content_type;            // Of the product.
    SourceKind kind = SourceKind::sound;
};

std::span<const FfmpegSource> ffmpeg_sources();

std::string decoders_of(const FfmpegSource& source);  // Comma separated.

// Null for a type that ffmpeg is not given.
const FfmpegSource* find_ffmpeg_source(std::string_view content_type);

// m4a, voice and waveform are made of sound; preview of video, for a width within limits;
// stripped of MP4, QuickTime, M4V, 3GPP and M4A. Errc::invalid_argument for anything else.
Result<FfmpegCommand> ffmpeg_command(const Order& order);

// What a command needs of the ffmpeg that runs it, beside the decoders of the table.
std::span<const std::string_view> ffmpeg_encoders();
std::span<const std::string_view> ffmpeg_muxers();

// What ffmpeg said of its input and of its failure; the log is written by a child and believed in
// nothing that matters.
struct FfmpegLog {
    std::optional<std::chrono::milliseconds> duration;  // As the header of the input says.
    bool duration_is_guessed = false;                   // From bit rate and size.
    std::string errors;  // Error messages alone, for our log: no metadata, ASCII, bounded.
};
FfmpegLog parse_ffmpeg_log(std::string_view text);

}  // namespace satchel::media
