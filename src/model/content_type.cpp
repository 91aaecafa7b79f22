#include "model/content_type.hpp"

#include "base/limits.hpp"
#include "model/api_errors.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace satchel {
namespace {

constexpr auto in_place = Disposition::inline_;
constexpr auto download = Disposition::attachment;

constexpr ContentType as_is(std::string_view name,
                            std::string_view extension,
                            Disposition disposition = in_place) {
    return {name, extension, name, disposition};
}

constexpr std::array<ContentType, 51> table{{
    as_is("image/jpeg", "jpg"),
    as_is("image/png", "png"),
    as_is("image/gif", "gif"),
    as_is("image/heic", "heic"),
    as_is("image/heif", "heif"),
    {"image/tiff", "tiff", "image/jpeg", in_place},
    as_is("image/bmp", "bmp"),
    as_is("image/svg+xml", "svg", download),
    as_is("image/webp", "webp"),
    as_is("image/x-icon", "ico"),
    as_is("video/mp4", "mp4"),
    as_is("video/quicktime", "mov"),
    as_is("video/mpeg", "mpeg"),
    as_is("video/mpeg2", "mpg"),
    as_is("video/x-m4v", "m4v"),
    as_is("video/x-msvideo", "avi"),
    as_is("video/3gpp", "3gp"),
    as_is("audio/mpeg", "mp3"),
    {"audio/mp3", "mp3", "audio/mpeg", in_place},
    as_is("audio/x-m4a", "m4a"),
    {"audio/mp4", "m4a", "audio/x-m4a", in_place},
    {"audio/x-caf", "caf", "audio/mp4", in_place},
    as_is("audio/x-wav", "wav"),
    as_is("audio/x-aiff", "aiff"),
    {"audio/aiff", "aiff", "audio/x-aiff", in_place},
    as_is("audio/aac", "aac"),
    as_is("audio/midi", "mid"),
    as_is("audio/amr", "amr"),
    as_is("application/pdf", "pdf"),
    as_is("text/plain", "txt"),
    as_is("text/markdown", "md"),
    as_is("text/vcard", "vcf"),
    as_is("text/rtf", "rtf"),
    as_is("text/csv", "csv"),
    as_is("text/html", "html", download),
    as_is("text/calendar", "ics"),
    as_is("text/xml", "xml", download),
    as_is("application/json", "json"),
    as_is("application/msword", "doc"),
    as_is("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    as_is("application/vnd.ms-excel", "xls"),
    as_is("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    as_is("application/vnd.ms-powerpoint", "ppt"),
    as_is("application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx"),
    as_is("application/x-iwork-pages-sffpages", "pages"),
    as_is("application/x-iwork-numbers-sffnumbers", "numbers"),
    as_is("application/x-iwork-keynote-sffkey", "key"),
    as_is("application/epub+zip", "epub"),
    as_is("application/zip", "zip"),
    as_is("application/x-gzip", "gz"),
    as_is("application/vnd.apple.pkpass", "pkpass"),
}};

// Names that the partner API took until 2026-04-07, and what they are called now.
struct FormerType {
    std::string_view name;
    std::string_view now;
};
constexpr std::array<FormerType, 11> former_types{{
    {"image/jpg", "image/jpeg"},
    {"image/x-ms-bmp", "image/bmp"},
    {"audio/m4a", "audio/x-m4a"},
    {"audio/wav", "audio/x-wav"},
    {"audio/x-aac", "audio/aac"},
    {"text/x-vcard", "text/vcard"},
    {"application/rtf", "text/rtf"},
    {"application/vnd.apple.pages", "application/x-iwork-pages-sffpages"},
    {"application/vnd.apple.numbers", "application/x-iwork-numbers-sffnumbers"},
    {"application/vnd.apple.keynote", "application/x-iwork-keynote-sffkey"},
    {"application/x-zip-compressed", "application/zip"},
}};

// Extensions beside the usual one, and the one whose type shares it with another.
struct OtherExtension {
    std::string_view extension;
    std::string_view type;
};
constexpr std::array<OtherExtension, 13> other_extensions{{
    {"jpeg", "image/jpeg"},
    {"tif", "image/tiff"},
    {"mpg", "video/mpeg"},
    {"qt", "video/quicktime"},
    {"m4b", "audio/x-m4a"},
    {"aif", "audio/x-aiff"},
    {"aifc", "audio/x-aiff"},
    {"midi", "audio/midi"},
    {"markdown", "text/markdown"},
    {"vcard", "text/vcard"},
    {"htm", "text/html"},
    {"ical", "text/calendar"},
    {"gzip", "application/x-gzip"},
}};

constexpr std::string_view convert_image = "convert it to image/jpeg or image/png";
constexpr std::string_view convert_audio =
    "convert it to audio/mpeg, audio/x-m4a, audio/aac or audio/x-wav";
constexpr std::string_view convert_video = "convert it to video/mp4 or video/quicktime";
constexpr std::string_view no_executables = "executable files are never accepted";

// Types that people do send and that are refused, with the way out.
struct RefusedType {
    std::string_view name;
    std::string_view advice;
};
constexpr std::array<RefusedType, 26> refused_types{{
    {"audio/flac", convert_audio},
    {"audio/x-flac", convert_audio},
    {"application/flac", convert_audio},
    {"audio/ogg", convert_audio},
    {"audio/x-ogg", convert_audio},
    {"audio/vorbis", convert_audio},
    {"audio/opus", convert_audio},
    {"video/ogg", convert_video},
    {"application/ogg", "convert it to audio/mpeg or video/mp4"},
    {"application/x-msdownload", no_executables},
    {"application/x-msdos-program", no_executables},
    {"application/x-dosexec", no_executables},
    {"application/vnd.microsoft.portable-executable", no_executables},
    {"application/x-msi", no_executables},
    {"application/x-executable", no_executables},
    {"application/x-elf", no_executables},
    {"application/x-sharedlib", no_executables},
    {"application/x-mach-binary", no_executables},
    {"application/x-sh", no_executables},
    {"application/x-shellscript", no_executables},
    {"text/x-shellscript", no_executables},
    {"application/java-archive", no_executables},
    {"application/vnd.android.package-archive", no_executables},
    {"application/x-apple-diskimage", no_executables},
    {"application/vnd.debian.binary-package", no_executables},
    {"application/octet-stream", "send the type that the file has, such as application/pdf"},
}};

char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view trim(std::string_view text) {
    const auto begin = text.find_first_not_of(' ');
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

std::string to_lower(std::string_view text) {
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), [](char c) { return to_lower(c); });
    return lower;
}

std::string bare_type(std::string_view declared) {
    return to_lower(trim(declared.substr(0, declared.find(';'))));
}

const ContentType* find_row(std::string_view bare) {
    const auto row = std::ranges::find(table, bare, &ContentType::name);
    return row == table.end() ? nullptr : &*row;
}

const FormerType* find_former(std::string_view bare) {
    const auto former = std::ranges::find(former_types, bare, &FormerType::name);
    return former == former_types.end() ? nullptr : &*former;
}

bool is_webp_or_svg(std::string_view bare) {
    return bare == "image/webp" || bare == "image/svg+xml";
}

bool is_token_char(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// Takes a token from the front of `text`. False if there is none.
bool skip_token(std::string_view& text) {
    const auto end = std::ranges::find_if_not(text, is_token_char);
    const auto length = static_cast<std::size_t>(end - text.begin());
    text.remove_prefix(length);
    return length > 0;
}

// Takes a quoted-string of printable characters. False if it is not closed.
bool skip_quoted(std::string_view& text) {
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '\\') {
            ++i;
        } else if (text[i] == '"') {
            text.remove_prefix(i + 1);
            return true;
        }
    }
    return false;
}

// `text`: what follows the type, beginning with a semicolon or empty. The whole grammar of RFC
// 9110 section 5.6.6 is held, for the text comes back as a header: readers take a bare comma
// there for the end of this type and the beginning of another.
bool are_parameters(std::string_view text) {
    while (true) {
        text = trim(text);
        if (text.empty()) return true;
        if (text.front() != ';') return false;
        text = trim(text.substr(1));
        if (text.empty() || text.front() == ';') continue;
        if (!skip_token(text) || !text.starts_with('=')) return false;
        text.remove_prefix(1);
        const bool has_value = text.starts_with('"') ? skip_quoted(text) : skip_token(text);
        if (!has_value) return false;
    }
}

// Fit to be sent and signed as a header.
Result<> check_text(std::string_view declared) {
    if (declared.size() > limits::content_type_bytes_max) {
        return fail(reasons::invalid_file_type,
                    "content_type must not exceed " +
                        std::to_string(limits::content_type_bytes_max) +
                        " characters; send the bare type, such as image/jpeg");
    }
    const bool is_printable =
        std::ranges::all_of(declared, [](char c) { return c >= ' ' && c <= '~'; });
    if (!is_printable) {
        return fail(reasons::invalid_file_type,
                    "content_type must be printable ASCII, such as image/jpeg");
    }
    const auto semicolon = declared.find(';');
    if (semicolon != std::string_view::npos && !are_parameters(declared.substr(semicolon))) {
        return fail(reasons::invalid_file_type,
                    "The parameters of content_type are malformed; send the bare type, such as " +
                        bare_type(declared));
    }
    return {};
}

std::unexpected<Error> unsupported(const std::string& bare, std::string_view advice) {
    std::string message = bare.empty() ? "An empty content_type" : bare;
    message += " is not supported; ";
    message += advice;
    return fail(reasons::invalid_file_type, std::move(message));
}

}  // namespace

std::span<const ContentType> content_types() {
    return table;
}

Result<const ContentType*> check_content_type(std::string_view declared,
                                              const ContentTypePolicy& policy) {
    CHECK(check_text(declared));
    const std::string bare = bare_type(declared);
    if (is_webp_or_svg(bare) && !policy.accept_webp_and_svg) {
        return unsupported(bare, convert_image);
    }
    if (const FormerType* former = find_former(bare)) {
        if (policy.accept_former_types) return find_row(former->now);
        return unsupported(bare, "use " + std::string(former->now));
    }
    if (const ContentType* row = find_row(bare)) return row;
    const auto refused = std::ranges::find(refused_types, bare, &RefusedType::name);
    if (refused != refused_types.end()) return unsupported(bare, refused->advice);
    return unsupported(bare, "use one of the supported content types, such as image/jpeg");
}

const ContentType* find_content_type(std::string_view declared) {
    const std::string bare = bare_type(declared);
    const FormerType* former = find_former(bare);
    return find_row(former != nullptr ? former->now : std::string_view(bare));
}

const ContentType* content_type_of_extension(std::string_view extension) {
    const std::string lower = to_lower(extension);
    const auto other = std::ranges::find(other_extensions, lower, &OtherExtension::extension);
    if (other != other_extensions.end()) return find_row(other->type);
    const auto row = std::ranges::find(table, lower, &ContentType::extension);
    return row == table.end() ? nullptr : &*row;
}

}  // namespace satchel
