#include "media/ffmpeg_command.hpp"

#include <gmock/gmock.h>

namespace satchel::media {
namespace {

using std::chrono::milliseconds;

TEST(FfmpegLogTest, the_length_of_the_input_is_read) {
    const FfmpegLog log = parse_ffmpeg_log(
        "[info] Input #0, caf, from 'file:/proc/self/fd/3':\n"
        "[info]   Duration: 01:02:03.45, start: 0.000000, bitrate: 140 kb/s\n");
    EXPECT_EQ(log.duration, milliseconds(3'723'450));
    EXPECT_FALSE(log.duration_is_guessed);
    EXPECT_EQ(log.errors, "");
}

TEST(FfmpegLogTest, a_guess_is_known_as_one) {
    const FfmpegLog log = parse_ffmpeg_log(
        "[mp3 @ 0x5] [warning] Estimating duration from bitrate, this may be inaccurate\n"
        "[info]   Duration: 00:00:03.00, start: 0.0\n");
    EXPECT_EQ(log.duration, milliseconds(3000));
    EXPECT_TRUE(log.duration_is_guessed);
}

TEST(FfmpegLogTest, an_unknown_or_odd_length_is_none) {
    for (const char* text : {"", "[info]   Duration: N/A, start: 0", "[info]   Duration: 00:00:03",
                             "[info]   Duration: 00:-1:03.00,", "[info]   Duration: "}) {
        EXPECT_FALSE(parse_ffmpeg_log(text).duration) << text;
    }
}

TEST(FfmpegLogTest, our_log_gets_errors_and_no_metadata) {
    const FfmpegLog log = parse_ffmpeg_log(
        "[info]     title           : secret\n"
        "[caf @ 0x1] [error] bad\x1b[31m \xc3\xa9 chunk\n"
        "[fatal] no more");
    EXPECT_EQ(log.errors, "[caf @ 0x1] [error] bad[31m  chunk; [fatal] no more");
}

TEST(FfmpegCommandTest, every_source_is_bound_to_one_demuxer_and_to_decoders_that_are_named) {
    for (const FfmpegSource& source : ffmpeg_sources()) {
        Order order{.form = source.kind == SourceKind::sound ? Form::voice : Form::preview,
                    .source_type = std::string(source.type)};
        order.width = 100;
        const auto command = ffmpeg_command(order);
        ASSERT_TRUE(command) << source.type;
        const auto& words = command->arguments;
        const std::string demuxer(source.demuxer);
        const auto input = std::ranges::find(words, "-i");
        for (const auto& [option, value] : {std::pair<std::string, std::string>{"-f", demuxer},
                                            {"-format_whitelist", demuxer},
                                            {"-codec_whitelist", decoders_of(source)},
                                            {"-protocol_whitelist", "file"}}) {
            const auto at = std::find(words.begin(), input, option);
            ASSERT_NE(at, input) << option;
            EXPECT_EQ(*(at + 1), value) << source.type;
        }
        EXPECT_FALSE(decoders_of(source).empty());
        EXPECT_THAT(decoders_of(source), testing::Not(testing::HasSubstr(",,")));
    }
}

}  // namespace
}  // namespace satchel::media
