#include "media_child/image_job.hpp"

#include "base/limits.hpp"
#include "media_child/strip.hpp"

#include <malloc.h>
#include <sys/stat.h>

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>
#include <vips/vips8>

namespace satchel::media {
namespace {

using vips::VImage;
using vips::VOption;
using vips::VSource;
using vips::VTarget;

constexpr int jpeg_quality = 85;
constexpr int preview_quality = 80;
// Libraries, stacks and row buffers: what any job takes, whatever its picture.
constexpr std::uint64_t memory_bytes_base = 230 * limits::MiB;
// libheif holds the coded planes and the picture in colours, libvips a copy.
constexpr std::uint64_t heif_bytes_per_pixel = 11;

struct Refusal {
    jail::Verdict verdict;
    std::string_view detail;
    std::uint64_t memory_bytes = 0;
};

const char* loader_class(jail::Source source) {
    switch (source) {
        case jail::Source::jpeg:
            return "VipsForeignLoadJpegSource";
        case jail::Source::png:
            return "VipsForeignLoadPngSource";
        case jail::Source::gif:
            return "VipsForeignLoadNsgifSource";
        case jail::Source::tiff:
            return "VipsForeignLoadTiffSource";
        case jail::Source::heif:
            return "VipsForeignLoadHeifSource";
        case jail::Source::webp:
            return "VipsForeignLoadWebpSource";
        case jail::Source::pdf:
            return "VipsForeignLoadPdfSource";
    }
    return nullptr;
}

VImage load(const VSource& source, jail::Source type, VOption* options) {
    switch (type) {
        case jail::Source::jpeg:
            return VImage::jpegload_source(source, options);
        case jail::Source::png:
            return VImage::pngload_source(source, options);
        case jail::Source::gif:
            return VImage::gifload_source(source, options);
        case jail::Source::tiff:
            return VImage::tiffload_source(source, options);
        case jail::Source::heif:
            return VImage::heifload_source(source, options);
        case jail::Source::webp:
            return VImage::webpload_source(source, options);
        case jail::Source::pdf:
            return VImage::pdfload_source(source, options);
    }
    delete options;
    throw Refusal{jail::Verdict::cannot_decode, "no such source"};
}

VImage open(int input, jail::Source type, VipsFailOn strictness) {
    ::lseek(input, 0, SEEK_SET);
    return load(
        VSource::new_from_descriptor(input), type,
        VImage::option()->set("access", VIPS_ACCESS_SEQUENTIAL)->set("fail_on", strictness));
}

int number_of(const VImage& image, const char* field) {
    return image.get_typeof(field) == 0 ? 0 : image.get_int(field);
}

bool is_turned(const VImage& image) {
    return number_of(image, VIPS_META_ORIENTATION) > 1;
}

// Pages of one height are shown as one tall picture where a loader is asked for several; here
// each loader is asked for the first, and says how many there are.
void check_caps(const VImage& image) {
    const auto pixels = std::uint64_t(image.width()) * std::uint64_t(image.height());
    if (pixels > limits::media_pixels_max) {
        throw Refusal{jail::Verdict::too_large, "too many pixels"};
    }
    const int pages = number_of(image, VIPS_META_N_PAGES);
    if (pages > static_cast<int>(limits::media_frames_max)) {
        throw Refusal{jail::Verdict::too_large, "too many frames or pages"};
    }
    if (image.bands() > 5) throw Refusal{jail::Verdict::cannot_decode, "too many channels"};
}

// By the header alone.
std::uint64_t memory_needed(const VImage& image, const jail::JobMessage& order) {
    const auto pixels = std::uint64_t(image.width()) * std::uint64_t(image.height());
    const auto raw = VIPS_IMAGE_SIZEOF_PEL(image.get_image()) * pixels;
    switch (order.source) {
        case jail::Source::heif:
            return memory_bytes_base + heif_bytes_per_pixel * pixels;
        case jail::Source::gif:
        case jail::Source::webp:
            return memory_bytes_base + 2 * 4 * pixels;
        case jail::Source::pdf:
            return limits::media_job_memory_bytes_max;
        default:
            break;
    }
    // A progressive JPEG keeps 16-bit coefficients, an interlaced PNG the picture; to turn a
    // picture is to hold it.
    std::uint64_t held = 0;
    if (number_of(image, "interlaced") != 0) held += 2 * raw;
    if (order.task == jail::Task::jpeg && is_turned(image)) held += 4 * pixels;
    return memory_bytes_base + held;
}

void check_memory(const VImage& image, const jail::JobMessage& order) {
    const std::uint64_t needed = memory_needed(image, order);
    if (needed > order.memory_bytes_limit) {
        throw Refusal{jail::Verdict::too_large, "takes more memory than a job may have"};
    }
    if (needed > order.memory_bytes) {
        throw Refusal{jail::Verdict::need_memory, "more memory, please", needed};
    }
}

VImage to_eight_bits(VImage image) {
    const VipsInterpretation meaning = image.interpretation();
    if (meaning == VIPS_INTERPRETATION_CMYK) {
        // By the profile of the file; by a usual one if it has none.
        return image.icc_transform("srgb", VImage::option()
                                               ->set("embedded", true)
                                               ->set("input_profile", "cmyk")
                                               ->set("intent", VIPS_INTENT_RELATIVE));
    }
    const bool is_grey =
        meaning == VIPS_INTERPRETATION_B_W || meaning == VIPS_INTERPRETATION_GREY16;
    const bool is_rgb = meaning == VIPS_INTERPRETATION_sRGB ||
                        meaning == VIPS_INTERPRETATION_RGB16 || meaning == VIPS_INTERPRETATION_RGB;
    const auto wanted = is_grey ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
    if (image.format() != VIPS_FORMAT_UCHAR || meaning != wanted) {
        image = image.colourspace(wanted);
    }
    // A profile speaks of the channels it was made for.
    if (!is_grey && !is_rgb && image.get_typeof(VIPS_META_ICC_NAME) != 0) {
        image = image.copy();
        image.remove(VIPS_META_ICC_NAME);
    }
    return image;
}

VImage on_white(const VImage& image) {
    return image.has_alpha() ? image.flatten(VImage::option()->set("background", 255.0)) : image;
}

VImage upright(const VImage& image) {
    // Turning reads out of order, a decoder runs in order.
    return is_turned(image) ? image.copy_memory().autorot() : image;
}

VImage make_jpeg(const jail::JobMessage& order, int input) {
    const VImage image = open(input, order.source, VIPS_FAIL_ON_ERROR);
    check_caps(image);
    check_memory(image, order);
    constexpr int side_max = limits::jpeg_side_pixels_max;
    if (image.width() > side_max || image.height() > side_max) {
        throw Refusal{jail::Verdict::too_large, "a side is longer than a JPEG's may be"};
    }
    return upright(on_white(to_eight_bits(image)));
}

VImage make_preview(const jail::JobMessage& order, int input) {
    VOption* const options = VImage::option()
                                 ->set("height", static_cast<int>(limits::jpeg_side_pixels_max))
                                 ->set("size", VIPS_SIZE_DOWN);
    {
        const VImage header = open(input, order.source, VIPS_FAIL_ON_NONE);
        if (order.source != jail::Source::pdf) check_caps(header);
        check_memory(header, order);
        // Without a profile of its own, a picture would go to sRGB by way of a guess.
        if (header.get_typeof(VIPS_META_ICC_NAME) != 0) options->set("export_profile", "srgb");
    }
    ::lseek(input, 0, SEEK_SET);
    const VImage image = VImage::thumbnail_source(VSource::new_from_descriptor(input),
                                                  static_cast<int>(order.width), options);
    return on_white(to_eight_bits(image));
}

std::uint64_t size_of(int file) {
    struct stat status{};
    return ::fstat(file, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

// Otherwise a request that waits for this core waits for the end of the kernel's turn: 4 ms and
// more, whatever the priority.
void leave_the_core(VipsImage* /*image*/, VipsProgress* /*progress*/, void* /*unused*/) {
    ::sched_yield();
}

void save(const VImage& image, const jail::JobMessage& order, int output) {
    vips_image_set_progress(image.get_image(), TRUE);
    // After each few rows.
    g_signal_connect(image.get_image(), "eval", G_CALLBACK(leave_the_core), nullptr);
    const bool is_preview = order.task == jail::Task::preview;
    image.jpegsave_target(VTarget::new_to_descriptor(output),
                          VImage::option()
                              ->set("Q", is_preview ? preview_quality : jpeg_quality)
                              ->set("strip", is_preview));
}

void say(jail::Answer& answer, std::string_view text) {
    const std::size_t length = std::min(text.size(), sizeof answer.detail - 1);
    std::memcpy(answer.detail, text.data(), length);
}

void do_job(const jail::JobMessage& order, int input, int output, jail::Answer& answer) {
    if (order.task == jail::Task::strip) {
        if (!strip_metadata(order.source, input, output)) {
            throw Refusal{jail::Verdict::cannot_decode, "not as its format says"};
        }
    } else {
        vips_operation_block_set("VipsForeignLoad", 1);
        vips_operation_block_set(loader_class(order.source), 0);
        const bool is_preview = order.task == jail::Task::preview;
        save(is_preview ? make_preview(order, input) : make_jpeg(order, input), order, output);
    }
    answer.size_bytes = size_of(output);
    answer.verdict = jail::Verdict::done;
}

}  // namespace

bool prepare_image_jobs(const char* program) {
    // One arena: each further one takes 64 MiB of a child's address space.
    ::mallopt(M_ARENA_MAX, 1);
    // Vector code is made at run time, and a child may not make code.
    ::setenv("VIPS_NOVECTOR", "1", 1);
    if (vips_init(program) != 0) return false;
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    vips_block_untrusted_set(1);
    return true;
}

jail::Answer run_image_job(const jail::JobMessage& order, int input, int output) {
    jail::Answer answer;
    answer.job = order.job;
    try {
        do_job(order, input, output, answer);
    } catch (const Refusal& refusal) {
        answer.verdict = refusal.verdict;
        answer.memory_bytes = refusal.memory_bytes;
        say(answer, refusal.detail);
    } catch (const vips::VError& error) {
        say(answer, error.what());
    } catch (const std::bad_alloc&) {
        say(answer, "out of memory");
    }
    return answer;
}

}  // namespace satchel::media
