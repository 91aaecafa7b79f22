#include "base/limits.hpp"
#include "media/memory_file.hpp"
#include "media/product_checks.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace {

using namespace satchel;
using namespace satchel::media;

struct Case {
    Form form;
    std::string_view source_type;
};
constexpr auto cases = std::to_array<Case>({{Form::m4a, "audio/x-caf"},
                                            {Form::voice, "audio/x-wav"},
                                            {Form::waveform, "audio/x-m4a"},
                                            {Form::preview, "video/mp4"},
                                            {Form::stripped, "video/quicktime"},
                                            {Form::stripped, "audio/x-m4a"}});

}  // namespace

// The input: a form, the length of what ffmpeg said (two bytes), that, and what it wrote.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 3) return 0;
    const Case& one = cases[data[0] % cases.size()];
    const std::size_t said = std::min<std::size_t>(data[1] + 256U * data[2], size - 3);
    const std::string_view all(reinterpret_cast<const char*>(data) + 3, size - 3);
    const FfmpegLog log = parse_ffmpeg_log(all.substr(0, said));
    ASSERT(std::ranges::all_of(log.errors, [](char c) { return c >= ' ' && c <= '~'; }));
    const auto command = ffmpeg_command(
        {.form = one.form, .source_type = std::string(one.source_type), .width = 10});
    ASSERT(command.has_value());
    auto output = sealed_memory_file("product", as_bytes(all.substr(said)));
    const auto product = check_product(one.form, *command, log, std::move(*output));
    if (!product) return 0;
    ASSERT(product->size_bytes > 0 && size_of(product->bytes).value() == product->size_bytes);
    ASSERT(product->content_type == command->content_type);
    const bool has_picture = product->width > 0 && product->height > 0;
    if (one.form == Form::preview) ASSERT(has_picture);
    if (one.form == Form::stripped && command->kind == SourceKind::video) {
        ASSERT(product->width > 0);
    }
    const bool is_sound = one.form == Form::m4a || one.form == Form::voice;
    if (is_sound || one.form == Form::waveform) {
        ASSERT(product->duration.has_value());
        ASSERT(*product->duration > std::chrono::milliseconds(0));
        ASSERT(*product->duration <= limits::sound_duration_max);
    }
    return 0;
}
