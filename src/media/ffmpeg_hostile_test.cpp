// Files that want to do harm, and programs in ffmpeg's place that misbehave.
#include "base/limits.hpp"
#include "base/task_group.hpp"
#include "media/ffmpeg_command.hpp"
#include "media/ffmpeg_suite.hpp"

#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <cstring>

namespace satchel::media {
namespace {

// Each form that may be made of the type.
constexpr Form sound_forms[] = {Form::m4a, Form::voice, Form::waveform};
constexpr Form video_forms[] = {Form::preview, Form::stripped};

struct HostileFileTest : FfmpegTest {
    void expect_corrupt(const std::string& type, std::string_view content) const {
        for (const Form form : type.starts_with("audio/") ? std::span<const Form>(sound_forms)
                                                          : std::span<const Form>(video_forms)) {
            const auto product = convert(form, type, content, 100);
            ASSERT_FALSE(product) << type;
            EXPECT_EQ(product.error().code, Errc::corrupt) << product.error().detail;
        }
    }
};

TEST_F(HostileFileTest, a_playlist_under_the_name_of_a_movie_is_corrupt) {
    const std::string secret = write("secret.ts", make_tone("-f mpegts", "tone.ts"));
    for (const std::string& target :
         {"file://" + secret, std::string("http://127.0.0.1:1/x.ts"), std::string("/etc/passwd")}) {
        expect_corrupt("video/mp4",
                       "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n" + target + "\n");
    }
}

TEST_F(HostileFileTest, a_concat_script_is_corrupt) {
    write("tone.mp4", make_tone("", "in.mp4"));
    const std::string script =
        "ffconcat version 1.0\nfile " + (folder / "tone.mp4").string() + "\n";
    expect_corrupt("video/mp4", script);
    expect_corrupt("audio/x-m4a", script);
    expect_corrupt("audio/mpeg", script);
}

TEST_F(HostileFileTest, garbage_and_nothing_are_corrupt) {
    std::string garbage(100'000, '\0');
    std::uint32_t state = 1;
    for (char& c : garbage)
        c = static_cast<char>((state = state * 1'664'525 + 1'013'904'223) >> 24);
    for (const char* type : {"audio/x-caf", "audio/x-wav", "audio/amr", "video/mp4"}) {
        expect_corrupt(type, garbage);
        expect_corrupt(type, "");
    }
}

TEST_F(HostileFileTest, a_movie_that_was_cut_off_is_corrupt) {
    for (const char* arguments : {"-c:a aac", "-c:a aac -movflags +faststart"}) {
        const std::string whole = make_tone(arguments, "a.mp4");
        expect_corrupt("audio/x-m4a", whole.substr(0, whole.size() / 2));
    }
}

TEST_F(HostileFileTest, plain_samples_that_were_cut_off_are_corrupt_or_last_as_long_as_they_do) {
    for (const auto& [name, type] : {std::pair("a.wav", "audio/x-wav"),
                                     {"a.caf", "audio/x-caf"},
                                     {"a.aiff", "audio/x-aiff"}}) {
        const bool is_caf = std::string_view(name).ends_with("caf");
        const std::string whole = make_tone(is_caf ? "-c:a pcm_s16be" : "", name);
        const auto product = convert(Form::voice, type, whole.substr(0, whole.size() / 3));
        if (product) {
            EXPECT_NEAR(static_cast<double>(product->duration->count()), 1000.0, 100.0) << name;
        } else {
            EXPECT_EQ(product.error().code, Errc::corrupt) << product.error().detail;
        }
    }
}

// 10 hours, 8 bits at 8 kHz: a hole of 288 MB, of which no byte needs to be read.
TEST_F(HostileFileTest, ten_silent_hours_are_too_large_before_they_are_decoded) {
    constexpr std::uint32_t seconds = 36'000;
    constexpr std::uint32_t rate = 8000;
    std::string head = "RIFF";
    append_u32(head, seconds * rate + 36);
    head += "WAVEfmt ";
    append_u32(head, 16);
    append_u32(head, 1 | 1 << 16);  // PCM, one channel.
    append_u32(head, rate);
    append_u32(head, rate);
    append_u32(head, 1 | 8 << 16);
    head += "data";
    append_u32(head, seconds * rate);
    for (const Form form : sound_forms) {
        Order wanted{.form = form, .source_type = "audio/x-wav"};
        wanted.input = std::move(*make_memory_file("ten hours"));
        ASSERT_TRUE(append(wanted.input, as_bytes(head)));
        ASSERT_EQ(
            ::ftruncate(wanted.input.number(), static_cast<off_t>(head.size()) + seconds * rate),
            0);
        ASSERT_TRUE(seal(wanted.input));
        FfmpegJail jail(budget, setup);
        const auto product = test::run(jail.convert(std::move(wanted)));
        ASSERT_FALSE(product);
        EXPECT_EQ(product.error().code, Errc::too_large) << product.error().detail;
    }
}

// A stream without a header of its whole: nothing says how long it is.
TEST_F(HostileFileTest, sound_that_turns_out_longer_than_the_limit_is_too_large) {
    std::string amr = "#!AMR\n";
    const auto frames = (std::chrono::seconds(limits::sound_duration_max).count() + 60) * 50;
    for (auto i = frames; i > 0; --i) amr += std::string("\x04") + std::string(12, '\x55');
    const auto product = convert(Form::waveform, "audio/amr", amr);
    ASSERT_FALSE(product);
    EXPECT_EQ(product.error().code, Errc::too_large) << product.error().detail;
}

// The reference that a track's data is in another file, as old QuickTime had it.
TEST_F(HostileFileTest, a_movie_whose_data_is_said_to_be_elsewhere_reads_nothing_else) {
    const std::string path = write("other.mov", make_tone("-c:a pcm_s16be", "other_source.mov"));
    std::string movie = make_tone("-c:a pcm_s16be", "a.mov");
    const std::size_t reference = movie.find("dref");
    ASSERT_NE(reference, std::string::npos);
    // Self-contained no more; the entry's type and flags follow size, version and count.
    movie[reference + 4 + 8 + 11] = '\0';
    const auto product = convert(Form::voice, "audio/x-m4a", movie);
    if (product) {
        EXPECT_EQ(product->duration->count(), 3000);
    } else {
        EXPECT_EQ(product.error().code, Errc::corrupt);
    }
}

// A script that stands for ffmpeg: the shell is shown to the jail, and nothing else.
struct FakeFfmpegTest : FfmpegTest {
    std::string script;
    // Nothing else on this machine is so called.
    const std::string sleep_argument = "1000" + std::to_string(::getpid());
    const std::string hang = "exec /usr/bin/sleep " + sleep_argument;

    // The kernel ends what was killed a moment later.
    void await_end() const {
        while (is_running(script) || is_running(sleep_argument)) ::sched_yield();
    }

    void fake(const std::string& body) {
        script = write("fake-ffmpeg-" + folder.path().filename().string(),
                       "#!/usr/bin/dash\n" + body + "\n");
        ASSERT_EQ(::chmod(script.c_str(), 0755), 0);
        ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
        setup.ffmpeg = script;
        setup.also_visible = {"/usr/bin/dash", "/usr/bin/sleep"};
    }

    Error failure() const {
        auto product = convert(Form::voice, "audio/x-wav", "x");
        EXPECT_FALSE(product);
        EXPECT_FALSE(has_children());
        await_end();
        return product ? Error{} : std::move(product).error();
    }
};

TEST_F(FakeFfmpegTest, success_without_a_product_is_corrupt) {
    fake("exit 0");
    EXPECT_EQ(failure().code, Errc::corrupt);
}

TEST_F(FakeFfmpegTest, success_with_nonsense_is_corrupt) {
    fake("printf 'this is no movie, whatever I say' >/proc/self/fd/4");
    EXPECT_EQ(failure().code, Errc::corrupt);
}

TEST_F(FakeFfmpegTest, a_failure_is_corrupt_and_its_words_are_for_the_log) {
    fake("echo '[error] too\tmuch'; exit 3");
    const Error error = failure();
    EXPECT_EQ(error.code, Errc::corrupt);
    EXPECT_EQ(error.reason, nullptr);
    EXPECT_THAT(error.detail, testing::HasSubstr("3: [error] toomuch"));
}

TEST_F(FakeFfmpegTest, memory_is_bounded) {
    fake("x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done");
    EXPECT_EQ(failure().code, Errc::corrupt);
}

TEST_F(FakeFfmpegTest, what_it_writes_is_bounded) {
    fake(
        "x=aaaaaaaaaaaaaaaa; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do x=$x$x; done\n"
        "exec 5<>/proc/self/fd/4; while :; do printf %s \"$x\" >&5 || exit 9; done");
    const Error error = failure();
    EXPECT_TRUE(error.code == Errc::too_large || error.code == Errc::corrupt) << error.detail;
}

TEST_F(FakeFfmpegTest, a_flood_of_words_is_bounded) {
    fake(
        "i=0; while [ $i -lt 20000 ]; do echo '[error] nonsense, nonsense'; i=$((i+1)); done; exit "
        "1");
    const Error error = failure();
    EXPECT_EQ(error.code, Errc::corrupt);
    EXPECT_LE(error.detail.size(), 1000U);
}

TEST_F(FakeFfmpegTest, new_processes_are_refused) {
    fake("(echo '[error] I have a child'); echo '[error] after'; exit 1");
    const Error error = failure();
    EXPECT_FALSE(error.detail.contains("I have a child")) << error.detail;
}

TEST_F(FakeFfmpegTest, it_sees_no_files_no_environment_and_no_descriptors_but_its_own) {
    ASSERT_EQ(::setenv("SATCHEL_TEST_SECRET", "x", 1), 0);
    fake(
        "for f in /* /home/* /tmp/* /var/* /root/* /proc/self/fd/*; do echo \"[error] $f\"; done\n"
        "echo \"[error] env=$SATCHEL_TEST_SECRET.\"\n"
        "echo x >/probe && echo '[error] written'\n"
        "exit 1");
    constexpr int open_one = 77;  // Not closed on exec, on purpose.
    ASSERT_EQ(::dup2(STDERR_FILENO, open_one), open_one);
    const Error error = failure();
    ::close(open_one);
    EXPECT_THAT(error.detail, testing::HasSubstr("[error] /proc;"));
    EXPECT_THAT(error.detail, testing::HasSubstr("[error] env=."));
    // A pattern that matched nothing stays as it is.
    for (const char* empty : {"/home/*;", "/root/*;", "/var/*;"}) {
        EXPECT_THAT(error.detail, testing::HasSubstr(empty));
    }
    EXPECT_FALSE(error.detail.contains("written")) << error.detail;
    EXPECT_FALSE(error.detail.contains("fd/77")) << error.detail;
}

TEST_F(FakeFfmpegTest, a_program_that_hangs_is_ended_at_its_wall_time) {
    fake(hang);
    setup.wall_max = std::chrono::milliseconds(200);
    EXPECT_EQ(failure().code, Errc::timed_out);
}

TEST_F(FakeFfmpegTest, a_program_that_works_for_ever_is_ended_at_its_cpu_time) {
    fake("while :; do :; done");
    setup.cpu_max = std::chrono::seconds(1);
    EXPECT_EQ(failure().code, Errc::timed_out);
}

// The smallest program there is, of instructions that are all zero: no processor gets past them.
std::string program_that_crashes() {
    constexpr std::uint64_t address = 0x400000;
    constexpr std::size_t header_bytes = 64;
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_EXEC;
#if defined(__aarch64__)
    header.e_machine = EM_AARCH64;
#else
    header.e_machine = EM_X86_64;
#endif
    header.e_version = EV_CURRENT;
    header.e_entry = address + 256;
    header.e_phoff = header_bytes;
    header.e_ehsize = header_bytes;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 1;
    const Elf64_Phdr segment{.p_type = PT_LOAD,
                             .p_flags = PF_R | PF_X,
                             .p_offset = 0,
                             .p_vaddr = address,
                             .p_paddr = address,
                             .p_filesz = 512,
                             .p_memsz = 512,
                             .p_align = 4096};
    std::string file(512, '\0');
    std::memcpy(file.data(), &header, sizeof header);
    std::memcpy(file.data() + header_bytes, &segment, sizeof segment);
    return file;
}

TEST_F(FakeFfmpegTest, a_crash_is_corrupt_and_says_so) {
    fake("");
    write(script.substr(script.rfind('/') + 1), program_that_crashes());
    const Error error = failure();
    EXPECT_EQ(error.code, Errc::corrupt);
    EXPECT_THAT(error.detail, testing::HasSubstr("ended by signal"));
}

TEST_F(FakeFfmpegTest, the_jail_does_not_outlive_the_server) {
    fake(hang);
    const pid_t server = ::fork();
    ASSERT_GE(server, 0);
    if (server == 0) {
        ignore(convert(Form::voice, "audio/x-wav", "x"), "it is killed meanwhile");
        ::_exit(0);
    }
    while (!is_running(sleep_argument)) ::sched_yield();
    ::kill(server, SIGKILL);
    ::waitpid(server, nullptr, 0);
    await_end();
}

TEST_F(FakeFfmpegTest,
       it_runs_at_the_lowest_priority_beside_the_server_and_not_in_a_session_of_its_own) {
    fake(
        "read -r text </proc/self/stat; set -- ${text##*) }; shift 16; echo \"[error] nice $1\"\n"
        "read -r text </proc/self/autogroup && echo \"[error] $text.\"; exit 1");
    const Error error = failure();
    EXPECT_THAT(error.detail, testing::HasSubstr("nice 19"));
    std::string group = read("/proc/self/autogroup");
    while (group.ends_with('\n')) group.pop_back();
    // A kernel without them has no such file.
    if (!group.empty()) EXPECT_THAT(error.detail, testing::HasSubstr(group + "."));
}

// What happens to a job that hangs, and to one that waits for its memory, when the server stops.
TEST_F(FakeFfmpegTest, stop_ends_what_runs_and_what_waits) {
    fake(hang);
    struct Watch {
        static Task<> until_running(std::string word) {
            while (!is_running(word)) co_await yield();
        }
        static Async<> stop(FfmpegJail& jail, MemoryBudget& memory, std::string word) {
            co_await until_running(word);
            memory.stop();
            jail.stop();
            co_return Result<>{};
        }
        static Async<> all(
            FfmpegJail& jail, MemoryBudget& memory, Order runs, Order waits, std::string word) {
            using boost::asio::experimental::awaitable_operators::operator&&;
            const auto [first, second, stopped] =
                co_await (jail.convert(std::move(runs)) && jail.convert(std::move(waits)) &&
                          stop(jail, memory, word));
            EXPECT_EQ(first.error().code, Errc::unavailable) << first.error().detail;
            EXPECT_EQ(second.error().code, Errc::unavailable) << second.error().detail;
            co_return stopped;
        }
    };
    MemoryBudget memory(limits::ffmpeg_sound_memory_bytes_max);  // For one.
    FfmpegJail jail(memory, setup);
    const auto make = [] { return order(Form::voice, "audio/x-wav", "x"); };
    const auto began = std::chrono::steady_clock::now();
    EXPECT_TRUE(test::run(Watch::all(jail, memory, make(), make(), sleep_argument)));
    EXPECT_LT(std::chrono::steady_clock::now() - began, limits::media_wait_max / 2);
    EXPECT_FALSE(has_children());
    await_end();
    EXPECT_EQ(test::run(jail.convert(make())).error().code, Errc::unavailable);
    EXPECT_EQ(memory.free_bytes(), limits::ffmpeg_sound_memory_bytes_max);
}

// Cancelled while it hangs: neither bwrap nor what is in it is left.
TEST_F(FakeFfmpegTest, cancelling_a_hanging_job_ends_the_jail) {
    fake("echo x >/proc/self/fd/4; " + hang);
    using boost::asio::experimental::awaitable_operators::operator||;
    struct Watch {
        // Ends when the jailed program is at work.
        static Task<> until_running(std::string word) {
            while (!is_running(word)) co_await yield();
        }
        static Task<bool> cancelled(FfmpegJail& jail, Order wanted, std::string word) {
            const auto first = co_await (jail.convert(std::move(wanted)) || until_running(word));
            co_return first.index() == 1;
        }
    };
    FfmpegJail jail(budget, setup);
    EXPECT_TRUE(
        test::run(Watch::cancelled(jail, order(Form::voice, "audio/x-wav", "x"), sleep_argument)));
    EXPECT_FALSE(has_children());
    await_end();
}

}  // namespace
}  // namespace satchel::media
