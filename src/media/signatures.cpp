#include "media/signatures.hpp"

#include "media/detect.hpp"
#include "media/fields.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace satchel::media {
namespace {

using namespace std::string_view_literals;

struct Signature {
    std::string_view mark;
    Detected found;
    std::size_t offset = 0;
};

constexpr Detected program(std::string_view format) {
    return forbidden(Kind::program, Forbidden::program, format);
}
constexpr Detected foreign(Kind kind, std::string_view format) {
    return forbidden(kind, Forbidden::foreign, format);
}

constexpr Detected script = forbidden(Kind::script, Forbidden::program, "script");
constexpr Detected amr = exactly(Kind::audio, "audio/amr", "AMR recording");
constexpr Detected midi = exactly(Kind::audio, "audio/midi", "MIDI file");
constexpr Detected wav = exactly(Kind::audio, "audio/x-wav", "WAV recording");
constexpr Detected aiff = exactly(Kind::audio, "audio/x-aiff", "AIFF recording");
constexpr Detected tiff = exactly(Kind::image, "image/tiff", "TIFF image");
constexpr Detected mpeg = exactly(Kind::video, "video/mpeg", "MPEG video");

constexpr std::array forbidden_signatures{
    Signature{"\x7f"
              "ELF"sv,
              program("Linux or BSD program")},
    Signature{"\xfe\xed\xfa\xce"sv, program("macOS program")},  // 32 bit, either byte order.
    Signature{"\xce\xfa\xed\xfe"sv, program("macOS program")},
    Signature{"\xfe\xed\xfa\xcf"sv, program("macOS program")},  // 64 bit.
    Signature{"\xcf\xfa\xed\xfe"sv, program("macOS program")},
    // For several processors; Java class files begin the same.
    Signature{"\xca\xfe\xba\xbe"sv, program("macOS or Java program")},
    Signature{"\xbe\xba\xfe\xca"sv, program("macOS program")},
    Signature{"\xca\xfe\xba\xbf"sv, program("macOS program")},  // With 64-bit offsets.
    Signature{"\xbf\xba\xfe\xca"sv, program("macOS program")},
    Signature{"\0asm"sv, program("WebAssembly program")},
    Signature{"!<arch>\ndebian-binary"sv, program("Debian package")},
    Signature{"\xed\xab\xee\xdb"sv, program("RPM package")},
    Signature{"xar!\0\x1c"sv, program("macOS installer")},
    Signature{"fLaC"sv, forbidden(Kind::audio, Forbidden::flac, "FLAC recording")},
    Signature{"OggS"sv, forbidden(Kind::audio, Forbidden::ogg, "OGG file")},
};

// AMR audio begins as a script would (RFC 4867 section 5).
constexpr std::array amr_marks{
    "#!AMR\n"sv,
    "#!AMR-WB\n"sv,
    "#!AMR_MC1.0\n"sv,
    "#!AMR-WB_MC1.0\n"sv,
};

constexpr std::array signatures{
    Signature{"\xff\xd8\xff"sv, exactly(Kind::image, "image/jpeg", "JPEG image")},
    Signature{"\x89PNG\r\n\x1a\n"sv, exactly(Kind::image, "image/png", "PNG image")},
    Signature{"GIF87a"sv, exactly(Kind::image, "image/gif", "GIF image")},
    Signature{"GIF89a"sv, exactly(Kind::image, "image/gif", "GIF image")},
    Signature{"II*\0"sv, tiff},
    Signature{"MM\0*"sv, tiff},
    Signature{"II+\0\x08\0"sv, tiff},  // BigTIFF.
    Signature{"MM\0+\0\x08"sv, tiff},
    Signature{"%PDF-"sv, exactly(Kind::pdf, "application/pdf", "PDF document")},
    Signature{"caff\0\x01"sv, exactly(Kind::audio, "audio/x-caf", "CAF recording")},
    Signature{"MThd\0\0\0\x06"sv, midi},
    Signature{"\0\0\x01\xba"sv, mpeg},  // Program stream.
    Signature{"\0\0\x01\xb3"sv, mpeg},  // Elementary stream.
    Signature{"\x1f\x8b\x08"sv, exactly(Kind::archive, "application/x-gzip", "gzip file")},
    Signature{"{\\rtf"sv, exactly(Kind::document, "text/rtf", "RTF document")},
    Signature{"\0\0\0\x0cJXL \r\n\x87\n"sv, foreign(Kind::image, "JPEG XL image")},
    Signature{"\0\0\0\x0cjP  \r\n\x87\n"sv, foreign(Kind::image, "JPEG 2000 image")},
    Signature{"8BPS\0\x01"sv, foreign(Kind::image, "Photoshop image")},
    Signature{"\x1a\x45\xdf\xa3"sv, foreign(Kind::video, "Matroska or WebM video")},
    Signature{"\x30\x26\xb2\x75\x8e\x66\xcf\x11"sv, foreign(Kind::video, "Windows Media file")},
    Signature{"FLV\x01"sv, foreign(Kind::video, "Flash video")},
    Signature{"7z\xbc\xaf\x27\x1c"sv, foreign(Kind::archive, "7z archive")},
    Signature{"Rar!\x1a\x07"sv, foreign(Kind::archive, "RAR archive")},
    Signature{"\xfd"
              "7zXZ\0"sv,
              foreign(Kind::archive, "XZ file")},
    Signature{"\x28\xb5\x2f\xfd"sv, foreign(Kind::archive, "Zstandard file")},
    Signature{"MSCF\0\0\0\0"sv, foreign(Kind::archive, "Windows cabinet")},
    Signature{"1AY&SY"sv, foreign(Kind::archive, "bzip2 file"), 4},
    Signature{"ustar\0"sv, foreign(Kind::archive, "tar archive"), 257},
    Signature{"ustar  \0"sv, foreign(Kind::archive, "tar archive"), 257},
};

bool is_script(ByteView head) {
    if (!has(head, 0, "#!")) return false;
    return std::ranges::none_of(amr_marks, [head](auto mark) { return has(head, 0, mark); });
}

// A mark of letters that also begin texts.
bool is_binary_with(ByteView head, std::string_view mark) {
    return has(head, 0, mark) && !reads_as_ascii(head.first(std::min(head.size(), sniff_bytes)));
}

Detected find_riff(ByteView head) {
    const std::string_view chunk = text_at(head, 0, 4);
    const std::string_view form = text_at(head, 8, 4);
    if (chunk == "FORM" && (form == "AIFF" || form == "AIFC")) return aiff;
    if ((chunk == "RF64" || chunk == "BW64") && form == "WAVE") return wav;
    if (chunk != "RIFF") return {};
    if (form == "WAVE") return wav;
    if (form == "AVI ") return exactly(Kind::video, "video/x-msvideo", "AVI video");
    if (form == "WEBP") return exactly(Kind::image, "image/webp", "WebP image");
    if (form == "RMID") return midi;
    return {};
}

// Behind the letters BM: a header of one of the known sizes that describes a picture.
bool is_bmp(ByteView head) {
    if (!has(head, 0, "BM")) return false;
    constexpr std::array<std::uint32_t, 8> header_sizes{12, 16, 40, 52, 56, 64, 108, 124};
    const std::uint32_t header_size = le32(head, 14);
    return is_one_of(header_size, header_sizes) && le32(head, 10) >= header_size;
}

// A directory whose first picture lies behind it.
bool is_ico(ByteView head) {
    if (!has(head, 0, "\0\0\x01\0"sv)) return false;
    const std::uint32_t count = le16(head, 4);
    return count > 0 && u8(head, 9) == 0 && le32(head, 14) > 0 && le32(head, 18) >= 6 + 16 * count;
}

}  // namespace

bool reads_as_ascii(ByteView bytes) {
    return std::ranges::all_of(as_text(bytes), [](char c) {
        return (c >= ' ' && c <= '~') || c == '\t' || c == '\n' || c == '\r' || c == '\f';
    });
}

Detected find_forbidden_signature(ByteView head) {
    for (const Signature& signature : forbidden_signatures) {
        if (has(head, signature.offset, signature.mark)) return signature.found;
    }
    if (is_script(head)) return script;
    if (is_binary_with(head, "MZ")) return program("Windows program");
    if (is_binary_with(head, "dex\n")) return program("Android program");
    return {};
}

Detected find_signature(ByteView head) {
    const Detected bad = find_forbidden_signature(head);
    if (bad.certainty != Certainty::none) return bad;
    for (const Signature& signature : signatures) {
        if (has(head, signature.offset, signature.mark)) return signature.found;
    }
    if (has(head, 0, "#!")) return amr;
    if (is_bmp(head)) return exactly(Kind::image, "image/bmp", "BMP image");
    if (is_ico(head)) return exactly(Kind::image, "image/x-icon", "icon");
    return find_riff(head);
}

}  // namespace satchel::media
