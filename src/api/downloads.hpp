// GET and HEAD of download_url: the bytes, as a CDN serves them (contract section 2.8).
#pragma once

#include "api/api.hpp"
#include "api/routes.hpp"
#include "http/message.hpp"

#include <string_view>

namespace satchel::api {

// `rest`: what stands behind download_path_prefix: {partner_id}/{attachment_id}/{filename}.
// The name of a form before the filename asks for that, made for delivery.
Task<http::Response> get_download(Services& services,
                                  http::Request& request,
                                  std::string_view rest);

// The same for a signed URL: `rest` is what stands behind signed_download_path_prefix. 403 unless
// the signature is ours, fits and holds; only then is the attachment looked for.
Task<http::Response> get_signed_download(Services& services,
                                         http::Request& request,
                                         std::string_view rest);

// GET /v3/attachments/{id}/preview?width=: a small JPEG of what there is to see, at most `width`
// pixels wide (of few widths: the next lower), or the waveform of what there is to hear. Ours,
// beyond the contract; off unless configured.
Async<http::Response> get_preview(Call call);

}  // namespace satchel::api
