#include "media/ffmpeg_jail.hpp"

#include "base/limits.hpp"
#include "media/ffmpeg_suite.hpp"

namespace satchel::media {
namespace {

using std::chrono::milliseconds;

void expect_about(milliseconds got, milliseconds wanted) {
    EXPECT_GE(got, wanted - milliseconds(100));
    EXPECT_LE(got, wanted + milliseconds(100));
}

struct Sound {
    const char* name;
    const char* type;
    const char* arguments;
};

// What gtest prints of it when a test fails.
void PrintTo(const Sound& sound, std::ostream* out) {
    *out << sound.name << " " << sound.arguments;
}

struct FfmpegSoundTest : FfmpegTest, testing::WithParamInterface<Sound> {
    std::string input() const { return make_tone(GetParam().arguments, GetParam().name); }
};

TEST_P(FfmpegSoundTest, becomes_a_voice_memo_of_one_channel) {
    const auto product = convert(Form::voice, GetParam().type, input());
    ASSERT_TRUE(product) << product.error().detail;
    EXPECT_EQ(product->content_type, "audio/x-m4a");
    expect_about(product->duration.value_or(milliseconds(0)), milliseconds(3000));
    const Probe seen = probe(*product);
    EXPECT_TRUE(seen.has("codec_name=aac"));
    EXPECT_TRUE(seen.has("channels=1"));
    EXPECT_TRUE(seen.has("sample_rate=44100"));
    EXPECT_TRUE(seen.has("nb_streams=1"));
    EXPECT_NEAR(std::stod(seen.value("duration")), 3.0, 0.1);
}

TEST_P(FfmpegSoundTest, has_a_waveform_of_a_hundred_peaks) {
    const auto product = convert(Form::waveform, GetParam().type, input());
    ASSERT_TRUE(product) << product.error().detail;
    EXPECT_EQ(product->content_type, "application/json");
    expect_about(product->duration.value_or(milliseconds(0)), milliseconds(3000));
    const std::string json = bytes_of(*product);
    EXPECT_EQ(std::ranges::count(json, ','), 100) << json;
    EXPECT_TRUE(json.starts_with("{\"duration_ms\":")) << json;
}

INSTANTIATE_TEST_SUITE_P(,
                         FfmpegSoundTest,
                         testing::Values(Sound{"a.mp3", "audio/mpeg", "-c:a libmp3lame -b:a 96k"},
                                         Sound{"b.mp3", "audio/mpeg",
                                               "-c:a libmp3lame -q:a 5 -write_xing 0"},
                                         Sound{"a.m4a", "audio/x-m4a", "-ac 2"},
                                         Sound{"b.m4a", "audio/mp4", "-c:a alac"},
                                         Sound{"a.aac", "audio/aac", "-ac 2"},
                                         Sound{"a.caf", "audio/x-caf", "-c:a alac"},
                                         Sound{"b.caf", "audio/x-caf", "-c:a pcm_s16be -ac 2"},
                                         Sound{"c.caf", "audio/x-caf", "-c:a libopus"},
                                         Sound{"d.caf", "audio/x-caf", "-c:a adpcm_ima_qt"},
                                         Sound{"a.wav", "audio/x-wav", "-c:a pcm_s24le -ac 6"},
                                         Sound{"b.wav", "audio/x-wav", "-ar 8000 -c:a pcm_mulaw"},
                                         Sound{"a.aiff", "audio/x-aiff", "-ac 2"},
                                         Sound{"b.aiff", "audio/aiff", "-ar 96000"}));

TEST_F(FfmpegTest, caf_becomes_m4a_of_its_own_rate_and_channels) {
    const auto product = convert(Form::m4a, "audio/x-caf",
                                 make_tone("-ac 2 -metadata title=secret -c:a alac", "a.caf"));
    ASSERT_TRUE(product) << product.error().detail;
    EXPECT_EQ(product->content_type, "audio/mp4");
    const Probe seen = probe(*product);
    EXPECT_TRUE(seen.has("codec_name=aac"));
    EXPECT_TRUE(seen.has("channels=2"));
    EXPECT_TRUE(seen.has("sample_rate=48000"));
    EXPECT_FALSE(bytes_of(*product).contains("secret"));
}

// No encoder of Debian's makes AMR: 12.2 kbit/s frames of 20 ms by hand.
TEST_F(FfmpegTest, amr_becomes_a_voice_memo) {
    std::string amr = "#!AMR\n";
    for (int frame = 0; frame < 150; ++frame) amr += "\x3c" + std::string(31, '\x11');
    const auto product = convert(Form::voice, "audio/amr", amr);
    ASSERT_TRUE(product) << product.error().detail;
    expect_about(product->duration.value_or(milliseconds(0)), milliseconds(3000));
    EXPECT_TRUE(probe(*product).has("channels=1"));
}

TEST_F(FfmpegTest, a_picture_in_an_mp3_is_no_hindrance) {
    make("-f lavfi -i testsrc2=s=64x64 -frames:v 1", "cover.png");
    const std::string path = folder / "cover.png";
    const std::string content =
        make_tone("-i " + path + " -map 0 -map 1 -c:v copy -c:a libmp3lame", "a.mp3");
    EXPECT_TRUE(convert(Form::voice, "audio/mpeg", content));
}

TEST_F(FfmpegTest, a_waveform_shows_where_it_is_loud) {
    const std::string content = make(
        "-f lavfi -i sine=frequency=300:duration=2 -af \"volume=8:enable='gte(t,1)',"
        "volume=0:enable='lt(t,1)'\" -c:a pcm_s16le",
        "a.wav");
    const auto product = convert(Form::waveform, "audio/x-wav", content);
    ASSERT_TRUE(product) << product.error().detail;
    const std::string json = bytes_of(*product);
    EXPECT_TRUE(json.starts_with("{\"duration_ms\":2000,\"peaks\":[0,0,0,0,")) << json;
    EXPECT_TRUE(json.ends_with(",100,100]}")) << json;
}

struct Video {
    const char* name;
    const char* type;
    const char* arguments;
};

void PrintTo(const Video& video, std::ostream* out) {
    *out << video.name << " " << video.arguments;
}

constexpr const char* moving_picture =
    "-f lavfi -i testsrc2=s=352x288:r=25:d=2 -f lavfi -i sine=d=2 ";
// On its side, and with all that a phone adds.
constexpr const char* phone_words =
    " -metadata title=secret -metadata location=+48.1+011.5/"
    " -metadata com.apple.quicktime.location.ISO6709=+48.1+011.5/"
    " -metadata:s:a title=secret -metadata creation_time=2020-01-02T03:04:05Z";

struct FfmpegVideoTest : FfmpegTest, testing::WithParamInterface<Video> {
    std::string input() const {
        return make(moving_picture + std::string(GetParam().arguments), GetParam().name);
    }
};

TEST_P(FfmpegVideoTest, has_its_first_frame_as_preview) {
    const auto product = convert(Form::preview, GetParam().type, input(), 100);
    ASSERT_TRUE(product) << product.error().detail;
    EXPECT_EQ(product->content_type, "image/jpeg");
    EXPECT_EQ(product->width, 100);
    const Probe seen = probe(*product);
    EXPECT_TRUE(seen.has("codec_name=mjpeg"));
    EXPECT_TRUE(seen.has("width=100"));
    EXPECT_TRUE(seen.has("height=" + std::to_string(product->height)));
}

INSTANTIATE_TEST_SUITE_P(
    ,
    FfmpegVideoTest,
    testing::Values(Video{"a.mp4", "video/mp4", "-c:v libx264 -pix_fmt yuv420p"},
                    Video{"b.mp4", "video/mp4",
                          "-c:v libx265 -pix_fmt yuv420p10le -x265-params log-level=0"},
                    Video{"a.mov", "video/quicktime", "-c:v mjpeg -pix_fmt yuvj420p"},
                    Video{"b.mov", "video/quicktime", "-c:v prores -c:a pcm_s16le"},
                    Video{"a.m4v", "video/x-m4v", "-c:v mpeg4"},
                    Video{"a.3gp", "video/3gpp", "-c:v h263 -ar 8000 -c:a aac"},
                    Video{"a.mpg", "video/mpeg", "-c:v mpeg1video -f mpeg"},
                    Video{"b.mpg", "video/mpeg2", "-c:v mpeg2video -f vob"},
                    Video{"a.avi", "video/x-msvideo", "-c:v mpeg4 -c:a libmp3lame"}));

TEST_F(FfmpegTest, a_bmp_has_a_preview_and_no_other_form) {
    for (const char* format : {"bgr24", "bgra", "pal8", "gray", "monow", "rgb565le"}) {
        SCOPED_TRACE(format);
        const std::string content = make(
            "-f lavfi -i testsrc2=s=352x288 -frames:v 1 -pix_fmt " + std::string(format), "a.bmp");
        const auto product = convert(Form::preview, "image/bmp", content, 100);
        ASSERT_TRUE(product) << product.error().detail;
        EXPECT_EQ(product->content_type, "image/jpeg");
        EXPECT_EQ(product->width, 100);
        EXPECT_EQ(product->height, 81);
        EXPECT_EQ(convert(Form::stripped, "image/bmp", content).error().code,
                  Errc::invalid_argument);
    }
}

TEST_F(FfmpegTest, what_is_no_bmp_or_was_cut_off_has_no_preview) {
    const std::string bmp = make("-f lavfi -i testsrc2=s=352x288 -frames:v 1", "a.bmp");
    const std::string jpeg = make("-f lavfi -i testsrc2=s=352x288 -frames:v 1", "a.jpg");
    for (const std::string& content : {jpeg, bmp.substr(0, 60), bmp.substr(0, 10), std::string()}) {
        const auto product = convert(Form::preview, "image/bmp", content, 100);
        ASSERT_FALSE(product);
        EXPECT_EQ(product.error().code, Errc::corrupt) << product.error().detail;
    }
}

struct FfmpegStripTest : FfmpegTest, testing::WithParamInterface<Video> {};

TEST_P(FfmpegStripTest, loses_its_metadata_and_keeps_how_it_looks) {
    make(moving_picture + std::string("-c:v libx264 -pix_fmt yuv420p -c:a aac ") + phone_words +
             " -color_primaries bt709 -color_trc bt709 -colorspace bt709",
         "flat.mov");
    const std::string flat = folder / "flat.mov";
    const std::string content =
        make("-i " + flat + " -map 0 -c copy -metadata:s:v rotate=90 " + GetParam().arguments,
             GetParam().name);
    ASSERT_TRUE(content.contains("secret"));
    ASSERT_TRUE(content.contains("+48.1") || content.contains("loci"));

    const auto product = convert(Form::stripped, GetParam().type, content);
    ASSERT_TRUE(product) << product.error().detail;
    EXPECT_EQ(product->content_type, GetParam().type);
    EXPECT_EQ(product->width, 288);
    EXPECT_EQ(product->height, 352);
    expect_about(product->duration.value_or(milliseconds(0)), milliseconds(2000));
    const std::string bytes = bytes_of(*product);
    for (const char* word : {"secret", "+48.1", "loci", "ISO6709", "Lavf"}) {
        EXPECT_FALSE(bytes.contains(word)) << word;
    }
    const Probe seen = probe(*product);
    EXPECT_FALSE(seen.text.contains("creation_time")) << seen.text;
    EXPECT_TRUE(seen.has("rotation=90")) << seen.text;
    EXPECT_TRUE(seen.has("color_space=bt709")) << seen.text;
    EXPECT_TRUE(seen.has("codec_name=h264"));
    EXPECT_TRUE(seen.has("codec_name=aac"));
}

INSTANTIATE_TEST_SUITE_P(,
                         FfmpegStripTest,
                         testing::Values(Video{"a.mov", "video/quicktime",
                                               "-movflags use_metadata_tags"},
                                         Video{"b.mov", "video/quicktime", ""},
                                         Video{"a.mp4", "video/mp4", ""},
                                         Video{"a.3gp", "video/3gpp", ""}));

TEST_F(FfmpegTest, a_preview_is_upright_and_never_wider_than_the_video) {
    make(moving_picture + std::string("-c:v libx264 -pix_fmt yuv420p"), "flat.mp4");
    const std::string flat = folder / "flat.mp4";
    const std::string content =
        make("-i " + flat + " -c copy -metadata:s:v rotate=90", "turned.mp4");
    const auto product = convert(Form::preview, "video/mp4", content, 4000);
    ASSERT_TRUE(product) << product.error().detail;
    EXPECT_EQ(product->width, 288);
    EXPECT_EQ(product->height, 352);
}

TEST_F(FfmpegTest, tracks_that_are_neither_sound_nor_picture_stay_behind) {
    const std::string words = write("words.srt", "1\n00:00:00,000 --> 00:00:01,000\nsecret\n");
    const std::string content =
        make(moving_picture + ("-i " + words) +
                 " -map 0 -map 1 -map 2 -c:v libx264 -pix_fmt yuv420p -c:s mov_text -timecode "
                 "01:02:03:04",
             "a.mov");
    const auto product = convert(Form::stripped, "video/quicktime", content);
    ASSERT_TRUE(product) << product.error().detail;
    EXPECT_FALSE(bytes_of(*product).contains("secret"));
    EXPECT_TRUE(probe(*product).has("nb_streams=2"));
}

TEST_F(FfmpegTest, a_form_that_a_type_has_not_is_an_invalid_argument) {
    const std::vector<std::pair<Form, const char*>> impossible{
        {Form::jpeg, "video/mp4"},      {Form::preview, "audio/mpeg"},
        {Form::m4a, "video/mp4"},       {Form::voice, "application/pdf"},
        {Form::stripped, "audio/mpeg"}, {Form::stripped, "video/x-msvideo"},
        {Form::voice, "audio/midi"},    {Form::waveform, "image/png"}};
    for (const auto& [form, type] : impossible) {
        const auto product = convert(form, type, "x", 100);
        ASSERT_FALSE(product) << type;
        EXPECT_EQ(product.error().code, Errc::invalid_argument) << type;
    }
    EXPECT_EQ(convert(Form::preview, "video/mp4", "x", 0).error().code, Errc::invalid_argument);
}

TEST_F(FfmpegTest, this_machine_has_all_that_is_needed) {
    FfmpegJail jail(budget, setup);
    const FfmpegReport report = test::run(jail.examine());
    EXPECT_TRUE(report.is_usable);
    EXPECT_FALSE(report.version.empty());
    EXPECT_THAT(report.problems, testing::IsEmpty());
}

TEST_F(FfmpegTest, a_missing_program_is_named_with_its_package) {
    setup.bwrap = "/nowhere/bwrap";
    FfmpegJail jail(budget, setup);
    const FfmpegReport report = test::run(jail.examine());
    EXPECT_FALSE(report.is_usable);
    ASSERT_EQ(report.problems.size(), 1U);
    EXPECT_THAT(report.problems[0], testing::HasSubstr("/nowhere/bwrap"));
    EXPECT_THAT(report.problems[0], testing::HasSubstr("bubblewrap"));
    const auto product = convert(Form::voice, "audio/x-wav", "x");
    ASSERT_FALSE(product);
    EXPECT_EQ(product.error().code, Errc::unavailable) << product.error().detail;
}

TEST_F(FfmpegTest, a_jail_that_cannot_be_built_is_unavailable_and_says_why) {
    setup.also_visible = {"/nowhere/at/all"};
    const auto product = convert(Form::voice, "audio/x-wav", "x");
    ASSERT_FALSE(product);
    EXPECT_EQ(product.error().code, Errc::unavailable);
    FfmpegJail jail(budget, setup);
    const FfmpegReport report = test::run(jail.examine());
    EXPECT_FALSE(report.is_usable);
    ASSERT_EQ(report.problems.size(), 1U);
    EXPECT_THAT(report.problems[0], testing::HasSubstr("/nowhere/at/all"));
}

}  // namespace
}  // namespace satchel::media
