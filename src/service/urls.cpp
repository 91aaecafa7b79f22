#include "service/urls.hpp"

#include "base/limits.hpp"
#include "model/filename.hpp"

#include <array>

namespace satchel {
namespace {

struct BaseParts {
    std::string host;  // With the port, unless it is the scheme's own.
    std::string path;  // Without a trailing slash; often empty.
};

BaseParts split_base(std::string_view base) {
    const auto scheme_end = base.find("://");
    const std::string_view scheme = base.substr(0, scheme_end);
    std::string_view rest = base.substr(scheme_end == std::string_view::npos ? 0 : scheme_end + 3);
    const auto slash = rest.find('/');
    std::string_view host = rest.substr(0, slash);
    // Clients leave the default port out of their Host header.
    const std::string_view default_port = scheme == "https" ? ":443" : ":80";
    if (host.ends_with(default_port)) host.remove_suffix(default_port.size());
    return {std::string(host),
            slash == std::string_view::npos ? std::string() : std::string(rest.substr(slash))};
}

}  // namespace

UrlMaker::UrlMaker(PublicUrls urls, const crypto::sigv4::Presigner& presigner)
    : urls_(std::move(urls)), presigner_(presigner) {
    cdn_host_ = split_base(urls_.cdn).host;
    BaseParts parts = split_base(urls_.upload);
    upload_host_ = std::move(parts.host);
    upload_path_base_ = std::move(parts.path);
}

std::string UrlMaker::upload_url(const Attachment& attachment) const {
    std::string local_path(upload_path_prefix);
    local_path += attachment.id.str();
    const std::string path = upload_path_base_ + local_path;
    const std::string length = std::to_string(attachment.size_bytes);
    const std::array headers{
        crypto::sigv4::NamedValue{"content-length", length},
        crypto::sigv4::NamedValue{"content-type", attachment.content_type},
    };
    const std::string query = presigner_.sign(
        "PUT", upload_host_, path, headers, attachment.upload_expires_at - limits::upload_window,
        std::chrono::duration_cast<std::chrono::seconds>(limits::upload_window));
    return urls_.upload + local_path + "?" + query;
}

std::string UrlMaker::download_url(const Attachment& attachment, std::string_view form) const {
    return urls_.cdn + download_path(download_path_prefix, attachment, form);
}

std::string UrlMaker::signed_download_url(const Attachment& attachment,
                                          Time at,
                                          std::string_view form) const {
    const std::string path = download_path(signed_download_path_prefix, attachment, form);
    const std::string query = presigner_.sign(
        "GET", cdn_host_, path, {}, at,
        std::chrono::duration_cast<std::chrono::seconds>(limits::signed_download_life));
    return urls_.cdn + path + "?" + query;
}

std::string UrlMaker::url_of(const Attachment& attachment, Time at, std::string_view form) const {
    return attachment.tier == Tier::ephemeral ? signed_download_url(attachment, at, form)
                                              : download_url(attachment, form);
}

std::string UrlMaker::download_path(std::string_view prefix,
                                    const Attachment& attachment,
                                    std::string_view form) {
    std::string path(prefix);
    path.append(attachment.partner.str()).append("/").append(attachment.id.str()).append("/");
    if (!form.empty()) path.append(form).append("/");
    path += filename_for_url(attachment.filename);
    return path;
}

std::vector<std::string> UrlMaker::download_folder_paths(PartnerId partner,
                                                         AttachmentId attachment) {
    std::vector<std::string> paths;
    for (const auto prefix : {download_path_prefix, signed_download_path_prefix}) {
        paths.push_back(std::string(prefix) + partner.str() + "/" + attachment.str() + "/");
    }
    return paths;
}

std::vector<std::string> UrlMaker::download_folders(PartnerId partner,
                                                    AttachmentId attachment) const {
    std::vector<std::string> folders = download_folder_paths(partner, attachment);
    for (std::string& folder : folders) folder.insert(0, urls_.cdn);
    return folders;
}

std::string UrlMaker::vcard_url(PartnerId partner, std::string_view line, Time at) const {
    std::string local_path(vcard_path_prefix);
    local_path += partner.str() + "/";
    local_path += line.substr(1);  // Without the plus, which some take for a blank.
    local_path += ".vcf";
    const std::string query =
        presigner_.sign("GET", upload_host_, upload_path_base_ + local_path, {}, at,
                        std::chrono::duration_cast<std::chrono::seconds>(limits::vcard_life));
    return urls_.upload + local_path + "?" + query;
}

}  // namespace satchel
