#include "media/ffmpeg_jail.hpp"

#include "base/limits.hpp"
#include "media/ffmpeg_command.hpp"
#include "media/memory_file.hpp"
#include "media/product_checks.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>
#include <sstream>

namespace satchel::media {
namespace {

// The log of `-decoders` and the like is longer than that of a conversion.
constexpr std::size_t answer_bytes_max = 256 * limits::KiB;

bool is_too_long(const FfmpegLog& log) {
    return log.duration && *log.duration > limits::sound_duration_max && !log.duration_is_guessed;
}

std::unexpected<Error> too_long() {
    return fail(Errc::too_large, "sound longer than the limit");
}

std::unexpected<Error> server_stops() {
    return fail(Errc::unavailable, "the server stops");
}

std::uint64_t memory_of(SourceKind kind) {
    return kind == SourceKind::sound ? limits::ffmpeg_sound_memory_bytes_max
                                     : limits::ffmpeg_film_memory_bytes_max;
}

// bwrap and the others speak before ffmpeg does.
bool is_jail_broken(const JailExit& exit, std::string_view log) {
    return exit.end == JailEnd::exited && exit.status != 0 &&
           (log.starts_with("bwrap: ") || log.starts_with("prlimit: ") ||
            log.starts_with("/usr/bin/nice: "));
}

// Why there is no product, for every end but a plain one.
Result<> judge(const JailExit& exit, std::string_view text, const FfmpegLog& log) {
    const std::string status = std::to_string(exit.status) + ": " + log.errors;
    if (is_jail_broken(exit, text)) return fail(Errc::unavailable, "no jail: " + log.errors);
    switch (exit.end) {
        case JailEnd::stopped:
            return too_long();
        case JailEnd::overtime:
            return fail(Errc::timed_out, "ffmpeg took too long, signal " + status);
        case JailEnd::crashed:
            if (exit.status == SIGXFSZ) return fail(Errc::too_large, "ffmpeg's product: " + status);
            return fail(Errc::corrupt, "ffmpeg ended by signal " + status);
        case JailEnd::exited:
            break;
    }
    if (exit.status != 0) return fail(Errc::corrupt, "ffmpeg ended with " + status);
    return {};
}

// Words that stand second in the lines of `ffmpeg -decoders` and the like: " A....D aac  AAC".
std::set<std::string, std::less<>> listed_names(const std::string& listing) {
    std::set<std::string, std::less<>> names;
    std::istringstream lines(listing);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string flags;
        std::string name;
        words >> flags >> name;
        // Demuxers that go by several names stand together: "mov,mp4,m4a".
        std::istringstream parts(name);
        for (std::string part; std::getline(parts, part, ',');) names.insert(part);
    }
    return names;
}

void require(FfmpegReport& report,
             const std::string& listing,
             std::string_view what,
             std::string_view wanted_list) {
    const auto names = listed_names(listing);
    std::istringstream wanted{std::string(wanted_list)};
    std::set<std::string, std::less<>> missing;
    for (std::string name; std::getline(wanted, name, ',');) {
        if (!names.contains(name)) missing.insert(name);
    }
    for (const std::string& name : missing) {
        report.problems.push_back("This ffmpeg has no " + std::string(what) + " \"" + name +
                                  "\": files that need it cannot be converted. Install the "
                                  "ffmpeg package of Debian or another complete one.");
    }
}

std::string join(std::span<const std::string_view> names) {
    std::string text;
    for (const std::string_view name : names) text.append(name).append(",");
    return text;
}

std::string all_of(std::string (*of_source)(const FfmpegSource&)) {
    std::string text;
    for (const FfmpegSource& source : ffmpeg_sources()) text += of_source(source) + ",";
    return text;
}

bool note_missing_programs(FfmpegReport& report, const JailSetup& setup) {
    const std::array<std::pair<std::string, const char*>, 4> programs{{
        {setup.ffmpeg, "ffmpeg"},
        {setup.bwrap, "bubblewrap"},
        {setup.prlimit, "util-linux"},
        {setup.nice, "coreutils"},
    }};
    for (const auto& [path, package] : programs) {
        if (::access(path.c_str(), X_OK) == 0) continue;
        report.problems.push_back("There is no program " + path +
                                  ", so sound and video are not converted. Install the package " +
                                  package + ".");
    }
    return !report.problems.empty();
}

}  // namespace

FfmpegJail::FfmpegJail(MemoryBudget& budget, JailSetup setup)
    : budget_(budget), setup_(std::move(setup)) {}

Async<Product> FfmpegJail::convert(Order order) {
    CO_TRY(const FfmpegCommand command, ffmpeg_command(order));
    JailSetup setup = setup_;
    setup.data_bytes_max = memory_of(command.kind);
    CO_TRY(const auto memory,
           co_await budget_.reserve(setup.data_bytes_max, MemoryBudget::patience()));
    if (stopping_) co_return server_stops();
    CO_TRY(Descriptor output, make_memory_file("media product"));
    CO_TRY(const Descriptor log, make_log_file(limits::ffmpeg_log_bytes_max));
    const JailDescriptors descriptors{order.input.number(), output.number(), log.number()};
    CO_TRY(Jail jail, Jail::start(setup, setup.ffmpeg, command.arguments, descriptors));

    const bool is_capped = command.kind == SourceKind::sound && order.form != Form::stripped;
    bool has_looked = false;  // The header is read once.
    auto stop_early = [this, &log, &has_looked, is_capped] {
        if (stopping_) return true;
        if (!is_capped || has_looked) return false;
        const auto text = read_log(log);
        if (!text) return false;
        const FfmpegLog said = parse_ffmpeg_log(*text);
        has_looked = said.duration.has_value();
        return is_too_long(said);
    };
    CO_TRY(const JailExit exit, co_await jail.wait(stop_early));
    if (stopping_) co_return server_stops();
    CO_TRY(const std::string text, read_log(log));
    const FfmpegLog said = parse_ffmpeg_log(text);
    CO_CHECK(judge(exit, text, said));
    CO_CHECK(seal(output));  // Its writer has ended.
    if (is_capped && is_too_long(said)) co_return too_long();
    co_return check_product(order.form, command, said, std::move(output));
}

// ffmpeg's answer to a question about itself.
Async<std::string> FfmpegJail::ask(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "-hide_banner");
    CO_TRY(const Descriptor log, make_log_file(answer_bytes_max));
    CO_TRY(Jail jail, Jail::start(setup_, setup_.ffmpeg, arguments, {.log = log.number()}));
    CO_TRY(const JailExit exit, co_await jail.wait([] { return false; }));
    CO_TRY(std::string text, read_log(log));
    if (exit.end != JailEnd::exited || exit.status != 0) {
        co_return fail(Errc::unavailable, text.substr(0, text.find('\n')));
    }
    co_return text;
}

Task<FfmpegReport> FfmpegJail::examine() {
    FfmpegReport report;
    if (note_missing_programs(report, setup_)) co_return report;
    const auto version = co_await ask({"-version"});
    if (!version) {
        report.problems.push_back(
            "ffmpeg cannot be started in its jail, so sound and video are not converted. The jail "
            "needs user, PID and network namespaces and seccomp (in a container: permission to "
            "create user namespaces and to mount /proc). It said: " +
            version.error().detail);
        co_return report;
    }
    report.is_usable = true;
    std::istringstream words(*version);
    std::string ignored;
    words >> ignored >> ignored >> report.version;

    const auto decoders = co_await ask({"-decoders"});
    const auto encoders = co_await ask({"-encoders"});
    const auto demuxers = co_await ask({"-demuxers"});
    const auto muxers = co_await ask({"-muxers"});
    if (!decoders || !encoders || !demuxers || !muxers) {
        report.problems.emplace_back("ffmpeg does not say what it was built with.");
        co_return report;
    }
    require(report, *decoders, "decoder", all_of(decoders_of));
    require(report, *demuxers, "demuxer",
            all_of([](const FfmpegSource& source) { return std::string(source.demuxer); }));
    require(report, *encoders, "encoder", join(ffmpeg_encoders()));
    require(report, *muxers, "muxer", join(ffmpeg_muxers()));
    co_return report;
}

}  // namespace satchel::media
