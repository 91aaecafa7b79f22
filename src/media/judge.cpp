#include "media/judge.hpp"

#include "media/fields.hpp"
#include "model/api_errors.hpp"

#include <array>
#include <optional>
#include <utility>

namespace satchel::media {
namespace {

using namespace std::string_view_literals;

// Kinds of declared types, coarser than those of detection: what is within one is accepted.
enum class Family : std::uint8_t { image, video, audio, pdf, text, package };

Family family_of(std::string_view type) {
    if (type.starts_with("image/")) return Family::image;
    if (type.starts_with("video/")) return Family::video;
    if (type.starts_with("audio/")) return Family::audio;
    if (type == "application/pdf") return Family::pdf;
    if (type.starts_with("text/") || type == "application/json") return Family::text;
    return Family::package;
}

Family family_of(const Detected& detected) {
    switch (detected.kind) {
        case Kind::image:
            return Family::image;
        case Kind::video:
            return Family::video;
        case Kind::audio:
            return Family::audio;
        case Kind::pdf:
            return Family::pdf;
        case Kind::document:
            return detected.type == "text/rtf" ? Family::text : Family::package;
        case Kind::archive:
        case Kind::program:
            return Family::package;
        case Kind::unknown:
        case Kind::text:
        case Kind::contact:
        case Kind::calendar:
        case Kind::markup:
        case Kind::script:
            break;
    }
    return Family::text;
}

// Containers that hold pictures, sound or both; their names say less than people think.
bool share_a_container(std::string_view declared, std::string_view detected) {
    constexpr std::array mp4{"video/mp4"sv, "video/x-m4v"sv, "video/quicktime"sv, "video/3gpp"sv,
                             "audio/mp4"sv, "audio/x-m4a"sv, "audio/aac"sv};
    constexpr std::array mpeg{"video/mpeg"sv, "video/mpeg2"sv, "audio/mpeg"sv, "audio/mp3"sv};
    return (is_one_of(declared, mp4) && is_one_of(detected, mp4)) ||
           (is_one_of(declared, mpeg) && is_one_of(detected, mpeg));
}

// Programs have always saved RTF, HTML, XML and tables under the names of old Office documents.
bool is_old_office(std::string_view declared) {
    constexpr std::array types{"application/msword"sv, "application/vnd.ms-excel"sv,
                               "application/vnd.ms-powerpoint"sv};
    return is_one_of(declared, types);
}

bool is_same_kind(std::string_view declared, const Detected& detected) {
    const Family found = family_of(detected);
    return family_of(declared) == found || share_a_container(declared, detected.type) ||
           (is_old_office(declared) && found == Family::text);
}

// Types whose bytes are one format: the declared name says more.
bool looks_the_same(std::string_view declared, std::string_view detected) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 2> names{{
        {"video/mpeg2", "video/mpeg"},
        {"video/x-m4v", "video/mp4"},
    }};
    return is_one_of(std::pair(declared, detected), names);
}

// Text that says at its beginning what it is; without that it is something else.
bool names_itself(std::string_view declared) {
    constexpr std::array types{"text/vcard"sv, "text/calendar"sv, "text/rtf"sv};
    return is_one_of(declared, types);
}

// Both are of one kind. Empty `detected.type`: only the kind is known.
bool declared_knows_better(std::string_view declared, const Detected& detected) {
    if (detected.type.empty() || looks_the_same(declared, detected.type)) return true;
    const bool are_texts =
        family_of(declared) == Family::text && family_of(detected) == Family::text;
    // Any text is plain text, most are Markdown: a name that promises more is kept, too, as text
    // is never shown as a page unless it is declared to be one.
    if (are_texts) return !names_itself(declared);
    return detected.certainty == Certainty::guess && !is_old_office(declared);
}

std::string_view forbidden_advice(Forbidden why) {
    switch (why) {
        case Forbidden::program:
            return "programs and scripts are never accepted";
        case Forbidden::flac:
        case Forbidden::ogg:
            return "convert it to audio/mpeg, audio/x-m4a, audio/aac or audio/x-wav";
        case Forbidden::foreign:
        case Forbidden::no:
            break;
    }
    return "convert it to a supported type";
}

Judgement accepted(const ContentType* type) {
    ASSERT(type != nullptr);
    return {Outcome::accepted, type, {}};
}

Judgement forbidden_content(std::string_view format, std::string_view advice) {
    return {Outcome::forbidden, nullptr,
            "The file's content is not supported (" + std::string(format) + "); " +
                std::string(advice)};
}

Judgement contradiction(std::string_view claimed, const Detected& detected) {
    return {Outcome::contradicts, nullptr,
            "The file is said to be " + std::string(claimed) + ", but its content is not (" +
                std::string(detected.format) + "). Upload it with the type that it has"};
}

// What no name can make acceptable; nullopt for the rest.
std::optional<Judgement> check_forbidden(const Detected& detected,
                                         const ContentTypePolicy& policy) {
    if (detected.forbidden != Forbidden::no) {
        return forbidden_content(detected.format, forbidden_advice(detected.forbidden));
    }
    if (detected.type.empty()) return std::nullopt;
    if (check_content_type(detected.type, policy)) return std::nullopt;
    return forbidden_content(detected.format, "convert it to image/jpeg or image/png");
}

// `claimed` is a type of the table; `detected` is not forbidden.
Judgement compare(const ContentType& claimed, const Detected& detected) {
    if (detected.certainty == Certainty::none) return accepted(&claimed);
    if (!is_same_kind(claimed.name, detected)) return contradiction(claimed.name, detected);
    if (declared_knows_better(claimed.name, detected)) return accepted(&claimed);
    return accepted(find_content_type(detected.type));
}

}  // namespace

Judgement judge(std::string_view declared,
                const Detected& detected,
                const ContentTypePolicy& policy) {
    if (auto refused = check_forbidden(detected, policy)) return *std::move(refused);
    const ContentType* claimed = find_content_type(declared);
    if (claimed != nullptr) return compare(*claimed, detected);
    if (!detected.type.empty()) return accepted(find_content_type(detected.type));
    return forbidden_content(declared, "convert it to a supported type");
}

Judgement judge_fetched(const Fetched& fetched,
                        const Detected& detected,
                        const ContentTypePolicy& policy) {
    if (auto refused = check_forbidden(detected, policy)) return *std::move(refused);
    const ContentType* by_extension = content_type_of_extension(fetched.extension);
    if (by_extension != nullptr) {
        auto judgement = compare(*by_extension, detected);
        if (judgement.outcome == Outcome::contradicts) return judgement;
    }
    if (detected.certainty == Certainty::exact) return accepted(find_content_type(detected.type));

    const auto answered = check_content_type(fetched.content_type, policy);
    for (const ContentType* claimed : {answered ? *answered : nullptr, by_extension}) {
        if (claimed == nullptr || !check_content_type(claimed->name, policy)) continue;
        auto judgement = compare(*claimed, detected);
        if (judgement.outcome == Outcome::accepted) return judgement;
    }
    if (!detected.type.empty()) return accepted(find_content_type(detected.type));
    return {Outcome::forbidden, nullptr,
            "The URL's file is of no supported type. Serve it with a supported Content-Type"};
}

Result<> check_judgement(const Judgement& judgement) {
    switch (judgement.outcome) {
        case Outcome::accepted:
            break;
        case Outcome::forbidden:
            return fail(reasons::invalid_file_type, judgement.message);
        case Outcome::contradicts:
            return fail(reasons::content_type_mismatch, judgement.message);
    }
    return {};
}

}  // namespace satchel::media
