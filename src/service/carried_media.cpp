#include "service/carried_media.hpp"

#include "base/limits.hpp"
#include "base/log.hpp"
#include "model/api_errors.hpp"
#include "model/filename.hpp"

#include <algorithm>

namespace satchel {
namespace {

constexpr std::string_view nameless = "attachment";

// https://bridge.example.com/messages -> https://bridge.example.com/
std::string origin_of(std::string_view url) {
    const auto host = url.find("://");
    if (host == std::string_view::npos) return {};
    return std::string(url.substr(0, url.find('/', host + 3))) + "/";
}

bool may_come_yet(const fetch::Fetched& fetched) {
    switch (fetched.failure) {
        case fetch::Failure::unreachable:
        case fetch::Failure::timed_out:
        case fetch::Failure::busy:
            return true;
        case fetch::Failure::bad_status:
            // Carriers announce files that are not there yet.
            return fetched.status < 400 || fetched.status >= 500 || fetched.status == 404 ||
                   fetched.status == 408 || fetched.status == 425 || fetched.status == 429;
        default:
            return false;
    }
}

void log_refusal(std::string_view detail) {
    log::warn("carried_media_refused", {{"detail", detail}});
}
// Without the message, which may quote the file's name.
void log_refusal(const Error& error) {
    log_refusal(error.reason == nullptr ? std::string_view(error.detail) : error.reason->message);
}

Result<NewMedia> describe(PartnerId partner,
                          const CarriedFile& file,
                          const fetch::Fetched& fetched) {
    NewMedia media;
    media.partner = partner;
    media.filename = file.filename.empty() ? filename_in_url(fetched.final_url) : file.filename;
    // Its bytes decide; this is for what they do not tell.
    media.content_type =
        carried_type({file.content_type, fetched.content_type}, media.filename).value_or("");
    const auto checked = check_filename(media.filename);
    if (!checked && checked.error().reason != &reasons::invalid_parameter) {
        return std::unexpected(checked.error());
    }
    if (!checked) media.filename = nameless;
    return media;
}

}  // namespace

CarriedMedia::CarriedMedia(Parts parts)
    : parts_(std::move(parts)), bridge_origin_(origin_of(parts_.bridge_url)) {}

fetch::Fetcher& CarriedMedia::fetcher_for(std::string_view url) const {
    const bool is_of_bridge = parts_.bridge_fetcher != nullptr && url.starts_with(bridge_origin_);
    return is_of_bridge ? *parts_.bridge_fetcher : parts_.fetcher;
}

Async<std::optional<StagedMedia>> CarriedMedia::stage(PartnerId partner,
                                                      CarriedFile file,
                                                      std::chrono::milliseconds total_max) {
    const std::optional<StagedMedia> refused;
    fetch::GetRequest request{.url = file.url,
                              .partner = partner.str(),
                              .bytes_max = limits::carried_media_bytes_max,
                              .total_max = total_max};
    CO_TRY(const fetch::Fetched fetched, co_await fetcher_for(file.url).get(std::move(request)));
    if (fetched.failure != fetch::Failure::none) {
        if (may_come_yet(fetched)) co_return fail(Errc::unavailable, fetched.detail);
        log_refusal(fetched.detail);
        co_return refused;
    }
    auto media = describe(partner, file, fetched);
    if (!media) {
        log_refusal(media.error());
        co_return refused;
    }
    BytesSource source(fetched.body);
    auto staged = co_await parts_.media.stage(std::move(*media), source);
    if (staged) co_return std::optional(std::move(*staged));
    if (staged.error().code != Errc::invalid_argument && staged.error().code != Errc::too_large) {
        co_return std::unexpected(std::move(staged).error());
    }
    log_refusal(staged.error());
    co_return refused;
}

Result<std::string> carried_type(std::initializer_list<std::string_view> declared,
                                 std::string_view filename) {
    static constexpr ContentTypePolicy liberal{.accept_webp_and_svg = true,
                                               .accept_former_types = true};
    for (const std::string_view each : declared) {
        if (const auto given = check_content_type(each, liberal))
            return std::string((*given)->name);
    }
    const auto dot = filename.rfind('.');
    std::string extension(dot == std::string_view::npos ? "" : filename.substr(dot + 1));
    std::ranges::transform(extension, extension.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (extension == "jpeg") extension = "jpg";
    for (const ContentType& type : content_types()) {
        if (type.extension == extension) return std::string(type.name);
    }
    return fail(reasons::invalid_file_type,
                "The type of " + std::string(filename) +
                    " is not known from its Content-Type nor from its extension");
}

}  // namespace satchel
