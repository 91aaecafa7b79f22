// The URLs that clients are handed. Contract sections 1.1, 2.2 and 2.8.
#pragma once

#include "base/clock.hpp"
#include "crypto/sigv4.hpp"
#include "model/attachment.hpp"
#include "model/ids.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace satchel {

// Bases without a trailing slash: https://files.example.com
struct PublicUrls {
    std::string api;
    std::string upload;
    std::string cdn;
};

inline constexpr std::string_view upload_path_prefix = "/_upload/";
inline constexpr std::string_view download_path_prefix = "/attachments/partners/";
inline constexpr std::string_view signed_download_path_prefix = "/attachments/signed/";
inline constexpr std::string_view vcard_path_prefix = "/_vcards/";

class UrlMaker {
public:
    UrlMaker(PublicUrls urls, const crypto::sigv4::Presigner& presigner);

    // A PUT of exactly `size_bytes` of `content_type`, until upload_expires_at.
    std::string upload_url(const Attachment& attachment) const;
    // .../attachments/partners/{partner_id}/{attachment_id}/{filename}, for a rendition with its
    // form as a folder before the filename.
    std::string download_url(const Attachment& attachment, std::string_view form = {}) const;
    // .../attachments/signed/{partner_id}/{attachment_id}/{filename}?X-Amz-...: a GET or HEAD,
    // for limits::signed_download_life from `at`. The signature covers host and path, as the
    // server sees them: a proxy in between may cut the path of the CDN's base, nothing else.
    std::string signed_download_url(const Attachment& attachment,
                                    Time at,
                                    std::string_view form = {}) const;
    // As its tier wants it: the first of the two above, or for an ephemeral one the second.
    std::string url_of(const Attachment& attachment, Time at, std::string_view form = {}) const;
    // A GET of a line's vCard, for limits::vcard_life from `at`. On the upload base, because a
    // signature covers the path: .../_vcards/{partner_id}/{digits of the number}.vcf
    std::string vcard_url(PartnerId partner, std::string_view line, Time at) const;
    // What all download URLs of an attachment begin with, whatever its name: plain, then signed.
    std::vector<std::string> download_folders(PartnerId partner, AttachmentId attachment) const;
    // The same without the CDN's base.
    static std::vector<std::string> download_folder_paths(PartnerId partner,
                                                          AttachmentId attachment);
    // What download URLs begin with, up to the partner's id.
    std::string download_prefix() const { return urls_.cdn + std::string(download_path_prefix); }
    std::string signed_download_prefix() const {
        return urls_.cdn + std::string(signed_download_path_prefix);
    }

private:
    static std::string download_path(std::string_view prefix,
                                     const Attachment& attachment,
                                     std::string_view form);

    PublicUrls urls_;
    std::string cdn_host_;
    std::string upload_host_;  // As in the Host header: the default port left out.
    std::string upload_path_base_;
    const crypto::sigv4::Presigner& presigner_;
};

}  // namespace satchel
