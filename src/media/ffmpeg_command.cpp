#include "media/ffmpeg_command.hpp"

#include "base/limits.hpp"
#include "media/bubblewrap.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace satchel::media {
namespace {

using Words = std::vector<std::string>;

constexpr auto sound = SourceKind::sound;
constexpr auto video = SourceKind::video;

constexpr std::string_view pcm =
    "pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,"
    "pcm_f32be,pcm_f64le,pcm_f64be,pcm_mulaw,pcm_alaw";
// Of MP4 and its kin, as phones and cameras fill them.
constexpr std::string_view movie =
    "h264,hevc,mpeg4,h263,mjpeg,prores,mpeg1video,mpeg2video,libdav1d,vp9,aac,alac,amrnb,amrwb,"
    "mp3float,ac3,eac3,opus,pcm_u8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_f32le";
constexpr std::string_view mpeg = "mpeg1video,mpeg2video,mp2float,mp3float,ac3";
constexpr std::string_view none;

constexpr auto sources = std::to_array<FfmpegSource>({
    {"audio/mpeg", "mp3", "mp3float,mp2float,mp1float", none, sound, none},
    {"audio/x-m4a", "mov", "aac,alac,mp3float", pcm, sound, "ipod"},
    {"audio/mp4", "mov", "aac,alac,mp3float", pcm, sound, "ipod"},
    {"audio/aac", "aac", "aac", none, sound, none},
    {"audio/x-caf", "caf", "aac,alac,opus,adpcm_ima_qt,amrnb,mp3float", pcm, sound, none},
    {"audio/x-wav", "wav", "adpcm_ima_wav,adpcm_ms,mp3float", pcm, sound, none},
    {"audio/x-aiff", "aiff", "adpcm_ima_qt", pcm, sound, none},
    {"audio/aiff", "aiff", "adpcm_ima_qt", pcm, sound, none},
    {"audio/amr", "amr", "amrnb,amrwb", none, sound, none},
    {"video/mp4", "mov", none, movie, video, "mp4"},
    {"video/quicktime", "mov", none, movie, video, "mov"},
    {"video/x-m4v", "mov", none, movie, video, "ipod"},
    {"video/3gpp", "mov", none, movie, video, "3gp"},
    {"video/mpeg", "mpeg", none, mpeg, video, none},
    {"video/mpeg2", "mpeg", none, mpeg, video, none},
    {"video/x-msvideo", "avi", "mpeg4,msmpeg4,mjpeg,h264,mp2float,mp3float,ac3,adpcm_ms", pcm,
     video, none},
    // A film of one frame; libvips would need ImageMagick for it.
    {"image/bmp", "bmp_pipe", "bmp", none, video, none},
});

constexpr auto encoders = std::to_array<std::string_view>({"aac", "mjpeg", "pcm_s16le"});
constexpr auto muxers =
    std::to_array<std::string_view>({"ipod", "mp4", "mov", "3gp", "mjpeg", "s16le"});

void add(Words& words, std::initializer_list<std::string> more) {
    words.insert(words.end(), more);
}

Words input(const FfmpegSource& source) {
    return {
        "-nostdin",
        "-hide_banner",
        "-nostats",
        "-loglevel",
        "level+info",
        "-filter_threads",
        "1",
        "-protocol_whitelist",
        "file",
        "-format_whitelist",
        std::string(source.demuxer),
        "-codec_whitelist",
        decoders_of(source),
        "-max_streams",
        std::to_string(limits::ffmpeg_streams_max),
        "-max_pixels",
        std::to_string(limits::media_pixels_max),
        "-threads",
        "1",
        "-f",
        std::string(source.demuxer),
        "-i",
        jail_input,
    };
}

// Nothing of what the input says about people, places and programs.
void without_metadata(Words& words) {
    add(words, {"-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact", "-flags",
                "+bitexact"});
}

void output(Words& words, std::string_view muxer) {
    add(words, {"-threads", "1", "-f", std::string(muxer), "-y", jail_output});
}

// One second more than is allowed shows that there was more.
std::string sound_seconds() {
    return std::to_string(std::chrono::seconds(limits::sound_duration_max).count() + 1);
}

void first_sound(Words& words) {
    add(words, {"-map", "0:a:0", "-t", sound_seconds()});
}

Words m4a(const FfmpegSource& source) {
    Words words = input(source);
    first_sound(words);
    without_metadata(words);
    add(words, {"-af", "aformat=channel_layouts=mono|stereo", "-c:a", "aac"});
    output(words, "ipod");
    return words;
}

Words voice(const FfmpegSource& source) {
    Words words = input(source);
    first_sound(words);
    without_metadata(words);
    add(words,
        {"-ac", "1", "-ar", std::to_string(voice_sample_rate), "-b:a", "64k", "-c:a", "aac"});
    output(words, "ipod");
    return words;
}

Words waveform(const FfmpegSource& source) {
    Words words = input(source);
    first_sound(words);
    without_metadata(words);
    add(words, {"-ac", "1", "-ar", std::to_string(waveform_sample_rate), "-c:a", "pcm_s16le"});
    output(words, "s16le");
    return words;
}

// Square pixels, upright (ffmpeg turns by the display matrix before it scales).
Words preview(const FfmpegSource& source, std::uint32_t width) {
    Words words = input(source);
    add(words, {"-map", "0:v:0", "-frames:v", "1"});
    without_metadata(words);
    const std::string scale = "scale=w='max(1,min(" + std::to_string(width) +
                              ",trunc(iw*sar)))':h='max(1,trunc(ow*ih/(iw*sar)))',setsar=1";
    add(words, {"-vf", scale, "-c:v", "mjpeg", "-q:v", "4"});
    output(words, "mjpeg");
    return words;
}

// Packets are copied; sound and picture alone, so that tracks of positions stay behind.
Words stripped(const FfmpegSource& source) {
    Words words = input(source);
    if (source.kind == video) add(words, {"-map", "0:V"});
    add(words, {"-map", source.kind == video ? "0:a?" : "0:a", "-c", "copy"});
    without_metadata(words);
    add(words, {"-write_tmcd", "0", "-movflags", "+faststart"});
    output(words, source.copy_muxer);
    return words;
}

std::unexpected<Error> not_made(const Order& order) {
    return fail(Errc::invalid_argument, "this form is not made of " + order.source_type);
}

// "00:01:02.34" in milliseconds.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
    constexpr std::size_t length = 11;
    if (text.size() < length || text[2] != ':' || text[5] != ':' || text[8] != '.') return {};
    const auto number = [text](std::size_t at) -> std::optional<unsigned> {
        unsigned value = 0;
        const char* end = text.data() + at + 2;
        if (std::from_chars(text.data() + at, end, value).ptr != end) return {};
        return value;
    };
    const auto hours = number(0);
    const auto minutes = number(3);
    const auto seconds = number(6);
    const auto hundredths = number(9);
    if (!hours || !minutes || !seconds || !hundredths) return {};
    return std::chrono::hours(*hours) + std::chrono::minutes(*minutes) +
           std::chrono::seconds(*seconds) + std::chrono::milliseconds(*hundredths * 10);
}

bool is_printable(char c) {
    return c >= ' ' && c <= '~';
}

}  // namespace

std::span<const FfmpegSource> ffmpeg_sources() {
    return sources;
}

std::string decoders_of(const FfmpegSource& source) {
    std::string names(source.own_decoders);
    if (!source.own_decoders.empty() && !source.shared_decoders.empty()) names += ',';
    return names += source.shared_decoders;
}

const FfmpegSource* find_ffmpeg_source(std::string_view content_type) {
    const auto* const found = std::ranges::find(sources, content_type, &FfmpegSource::type);
    return found == sources.end() ? nullptr : found;
}

std::span<const std::string_view> ffmpeg_encoders() {
    return encoders;
}

std::span<const std::string_view> ffmpeg_muxers() {
    return muxers;
}

Result<FfmpegCommand> ffmpeg_command(const Order& order) {
    const FfmpegSource* const source = find_ffmpeg_source(order.source_type);
    if (source == nullptr) return not_made(order);
    const bool is_sound = source->kind == sound;
    switch (order.form) {
        case Form::m4a:
            if (!is_sound) return not_made(order);
            return FfmpegCommand{m4a(*source), "audio/mp4", sound};
        case Form::voice:
            if (!is_sound) return not_made(order);
            return FfmpegCommand{voice(*source), "audio/x-m4a", sound};
        case Form::waveform:
            if (!is_sound) return not_made(order);
            return FfmpegCommand{waveform(*source), "application/json", sound};
        case Form::preview:
            if (is_sound || order.width == 0 || order.width > limits::preview_width_pixels_max) {
                return not_made(order);
            }
            return FfmpegCommand{preview(*source, order.width), "image/jpeg", video};
        case Form::stripped:
            if (source->copy_muxer.empty()) return not_made(order);
            return FfmpegCommand{stripped(*source), order.source_type, source->kind};
        case Form::jpeg:
            break;
    }
    return not_made(order);
}

FfmpegLog parse_ffmpeg_log(std::string_view text) {
    constexpr std::string_view duration_begins = "[info]   Duration: ";
    constexpr std::size_t errors_bytes_max = 500;
    FfmpegLog log;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (!log.duration && line.starts_with(duration_begins)) {
            log.duration = parse_duration(line.substr(duration_begins.size()));
        }
        if (line.contains("Estimating duration from bitrate")) log.duration_is_guessed = true;
        const bool is_error = line.contains("[error]") || line.contains("[fatal]") ||
                              line.starts_with("bwrap: ") || line.starts_with("prlimit: ");
        if (!is_error || log.errors.size() >= errors_bytes_max) continue;
        if (!log.errors.empty()) log.errors += "; ";
        std::ranges::copy_if(line.substr(0, errors_bytes_max), std::back_inserter(log.errors),
                             is_printable);
    }
    return log;
}

}  // namespace satchel::media
