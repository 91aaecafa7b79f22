#include "media/product_checks.hpp"

#include "base/limits.hpp"
#include "media/memory_file.hpp"
#include "media/movie_facts.hpp"
#include "media/waveform.hpp"

#include <algorithm>

namespace satchel::media {
namespace {

using std::chrono::milliseconds;

std::unexpected<Error> wrong(std::string what) {
    return fail(Errc::corrupt, "the product is not as ordered: " + std::move(what));
}

// An encoder rounds to its frames; a container that was cut off promises more than it has.
Result<> check_duration(milliseconds got, const FfmpegLog& log) {
    constexpr milliseconds tolerance(1000);
    if (got <= milliseconds(0)) return wrong("it lasts no time");
    if (!log.duration || log.duration_is_guessed) return {};
    const milliseconds allowed = std::max(tolerance, *log.duration / 50);
    if (std::chrono::abs(got - *log.duration) > allowed) {
        return wrong("it lasts " + std::to_string(got.count()) + " ms instead of " +
                     std::to_string(log.duration->count()));
    }
    return {};
}

Result<> check_sound_length(milliseconds got, const FfmpegLog& log) {
    if (got > limits::sound_duration_max) {
        return fail(Errc::too_large, "sound longer than the limit");
    }
    return check_duration(got, log);
}

Result<Product> finish(const FfmpegCommand& command, Descriptor output) {
    TRY(const std::uint64_t size, size_of(output));
    if (size == 0) return wrong("it is empty");
    if (size > limits::media_output_bytes_max) return fail(Errc::too_large, "the product");
    Product product;
    product.bytes = std::move(output);
    product.content_type = command.content_type;
    product.size_bytes = size;
    return product;
}

Result<Product> check_m4a(Form form,
                          const FfmpegCommand& command,
                          const FfmpegLog& log,
                          Descriptor output) {
    TRY(Product product, finish(command, std::move(output)));
    TRY(const MovieFacts facts, read_movie_facts(product.bytes));
    if (facts.tracks.size() != 1 || !facts.has_media) return wrong("its tracks");
    const MovieTrack& track = facts.tracks.front();
    const std::uint32_t channels_max = form == Form::voice ? 1 : 2;
    if (track.kind != "soun" || track.codec != "mp4a") return wrong("its codec");
    if (track.channels < 1 || track.channels > channels_max) return wrong("its channels");
    CHECK(check_sound_length(facts.duration, log));
    product.duration = facts.duration;
    return product;
}

Result<Product> check_stripped(const FfmpegCommand& command,
                               const FfmpegLog& log,
                               Descriptor output) {
    TRY(Product product, finish(command, std::move(output)));
    TRY(const MovieFacts facts, read_movie_facts(product.bytes));
    if (facts.has_metadata) return wrong("it has metadata");
    if (!facts.has_media) return wrong("it has no media");
    for (const MovieTrack& track : facts.tracks) {
        if (track.kind == "vide") {
            product.width = track.width;
            product.height = track.height;
        } else if (track.kind != "soun") {
            return wrong("its tracks");
        }
    }
    if (command.kind == SourceKind::video && product.width == 0) return wrong("it has no picture");
    CHECK(check_duration(facts.duration, log));
    product.duration = facts.duration;
    return product;
}

Result<Product> check_preview(const FfmpegCommand& command, Descriptor output) {
    TRY(Product product, finish(command, std::move(output)));
    TRY(const PictureSize size, read_jpeg_size(product.bytes));
    product.width = size.width;
    product.height = size.height;
    return product;
}

Result<Product> make_waveform(const FfmpegCommand& command,
                              const FfmpegLog& log,
                              const Descriptor& samples) {
    TRY(const Waveform waveform, read_waveform(samples, waveform_sample_rate));
    CHECK(check_sound_length(waveform.duration, log));
    TRY(Descriptor file, sealed_memory_file("waveform", as_bytes(waveform.json)));
    TRY(Product product, finish(command, std::move(file)));
    product.duration = waveform.duration;
    return product;
}

}  // namespace

Result<Product> check_product(Form form,
                              const FfmpegCommand& command,
                              const FfmpegLog& log,
                              Descriptor output) {
    switch (form) {
        case Form::m4a:
        case Form::voice:
            return check_m4a(form, command, log, std::move(output));
        case Form::waveform:
            return make_waveform(command, log, output);
        case Form::preview:
            return check_preview(command, std::move(output));
        case Form::stripped:
            return check_stripped(command, log, std::move(output));
        case Form::jpeg:
            break;
    }
    return wrong("its form");
}

}  // namespace satchel::media
