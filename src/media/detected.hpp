// What bytes turned out to be.
#pragma once

#include <cstdint>
#include <string_view>

namespace satchel::media {

enum class Kind : std::uint8_t {
    unknown,
    image,
    video,
    audio,
    pdf,
    document,  // Office, iWork, EPUB, RTF.
    text,      // Plain, CSV, JSON and whatever else reads as text.
    contact,   // vCard.
    calendar,  // iCalendar.
    markup,    // HTML and XML.
    archive,   // ZIP, gzip, passes.
    program,   // Machine code, installers, packages of them.
    script,    // Text that names its interpreter in the first line.
};

enum class Certainty : std::uint8_t {
    none,   // Nothing was recognised.
    guess,  // The kind is right; of the types of that kind a declared one knows better.
    exact,  // The type is right.
};

enum class Forbidden : std::uint8_t {
    no,
    program,  // Executables, scripts, installers.
    flac,
    ogg,
    foreign,  // A format that was recognised and is none of contract section 2.6.
};

struct Detected {
    // A name of contract section 2.6, never a deprecated one. Empty if the bytes are none of
    // them, or if they are of a family whose members look alike (a sealed Office document).
    std::string_view type;
    Kind kind = Kind::unknown;
    Certainty certainty = Certainty::none;
    Forbidden forbidden = Forbidden::no;
    std::string_view format;  // For people: "PNG image". Empty if unknown. Static storage.

    friend bool operator==(const Detected&, const Detected&) = default;
};

constexpr Detected exactly(Kind kind, std::string_view type, std::string_view format) {
    return {type, kind, Certainty::exact, Forbidden::no, format};
}
constexpr Detected probably(Kind kind, std::string_view type, std::string_view format) {
    return {type, kind, Certainty::guess, Forbidden::no, format};
}
constexpr Detected forbidden(Kind kind, Forbidden why, std::string_view format) {
    return {{}, kind, Certainty::exact, why, format};
}

}  // namespace satchel::media
