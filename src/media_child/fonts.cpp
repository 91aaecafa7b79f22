#include "media_child/fonts.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <fontconfig/fontconfig.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace satchel::media {
namespace {

// Above what a job may open by itself.
constexpr int first_descriptor = 100;

// What every PDF may name without containing it (ISO 32000, section 9.6.2.2).
constexpr auto standard_fonts = std::to_array<const char*>({
    "Helvetica",
    "Helvetica:bold",
    "Helvetica:italic",
    "Helvetica:bold:italic",
    "Times",
    "Times:bold",
    "Times:italic",
    "Times:bold:italic",
    "Courier",
    "Courier:bold",
    "Courier:italic",
    "Courier:bold:italic",
    "Symbol",
    "Zapf Dingbats",
});

// The system's rules of which font stands for which, and none of its folders.
constexpr std::string_view rules_alone =
    "<?xml version=\"1.0\"?><!DOCTYPE fontconfig SYSTEM \"fonts.dtd\"><fontconfig>"
    "<include ignore_missing=\"yes\">/etc/fonts/conf.d</include></fontconfig>";

struct PatternEnd {
    void operator()(FcPattern* pattern) const { FcPatternDestroy(pattern); }
};
using Pattern = std::unique_ptr<FcPattern, PatternEnd>;

const FcChar8* as_fontconfig(const char* text) {
    return reinterpret_cast<const FcChar8*>(text);
}

struct Font {
    std::string path;
    void* content = nullptr;  // Mapped, read-only.
    std::size_t size = 0;
};

// Those that are held, the first with the descriptor `first_descriptor`. Written before the first
// fork.
std::vector<Font>& held_fonts() {
    static std::vector<Font> fonts;
    return fonts;
}

// Null if no such font is held.
const Font* find_font(std::string_view path) {
    const auto font = std::ranges::find(held_fonts(), path, &Font::path);
    return font == held_fonts().end() ? nullptr : &*font;
}

using OpenFile = FILE* (*)(const char*, const char*);
OpenFile open_of_c_library() {
    static const auto function = reinterpret_cast<OpenFile>(::dlsym(RTLD_NEXT, "fopen"));
    return function;
}

std::string path_of(const char* name) {
    const Pattern wanted(FcNameParse(as_fontconfig(name)));
    if (!wanted) return {};
    FcConfigSubstitute(nullptr, wanted.get(), FcMatchPattern);
    FcDefaultSubstitute(wanted.get());
    FcResult result{};
    const Pattern found(FcFontMatch(nullptr, wanted.get(), &result));
    FcChar8* path = nullptr;
    const bool has_path =
        found && FcPatternGetString(found.get(), FC_FILE, 0, &path) == FcResultMatch;
    return has_path ? reinterpret_cast<const char*>(path) : std::string();
}

bool hold(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    const int number = first_descriptor + static_cast<int>(held_fonts().size());
    struct stat status{};
    bool done = ::fstat(file, &status) == 0 && status.st_size > 0;
    Font font{.path = path, .size = static_cast<std::size_t>(status.st_size)};
    if (done) font.content = ::mmap(nullptr, font.size, PROT_READ, MAP_PRIVATE, file, 0);
    done = done && font.content != MAP_FAILED && ::dup2(file, number) == number;
    ::close(file);
    if (done) held_fonts().push_back(std::move(font));
    return done;
}

bool use_no_others() {
    FcConfig* const config = FcConfigCreate();
    if (config == nullptr) return false;
    FcConfigParseAndLoadFromMemory(config, as_fontconfig(rules_alone.data()), FcFalse);
    for (const Font& font : held_fonts()) {
        FcConfigAppFontAddFile(config, as_fontconfig(font.path.c_str()));
    }
    // Nor does it look whether files have changed since.
    return FcConfigSetCurrent(config) && FcConfigSetRescanInterval(config, 0);
}

}  // namespace

KeptDescriptors prepare_fonts() {
    for (const char* name : standard_fonts) {
        const std::string path = path_of(name);
        if (!path.empty() && find_font(path) == nullptr) hold(path);
    }
    open_of_c_library();
    if (held_fonts().empty() || !use_no_others()) return {};
    return {.first = first_descriptor, .count = static_cast<unsigned>(held_fonts().size())};
}

}  // namespace satchel::media

// In place of the C library's, for the libraries that this program is linked to: FreeType maps
// fonts by their paths. The descriptor is a copy, which its user closes. Its read position is that
// of all jobs, but of no matter for a mapping.
extern "C" int open(const char* path, int flags, ...) {
    using namespace satchel::media;
    mode_t mode = 0;
    if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
        std::va_list rest;
        va_start(rest, flags);
        mode = va_arg(rest, mode_t);
        va_end(rest);
    }
    const int file = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
    if (file >= 0 || (flags & O_ACCMODE) != O_RDONLY) return file;
    const Font* const font = find_font(path);
    if (font == nullptr) return file;
    const int number = first_descriptor + static_cast<int>(font - held_fonts().data());
    return ::fcntl(number, F_DUPFD_CLOEXEC, 0);
}

// Poppler looks into fonts before FreeType does.
extern "C" FILE* fopen(const char* path, const char* mode) {
    using namespace satchel::media;
    FILE* const file = open_of_c_library()(path, mode);
    if (file != nullptr || mode[0] != 'r') return file;
    const Font* const font = find_font(path);
    return font == nullptr ? nullptr : ::fmemopen(font->content, font->size, "r");
}
