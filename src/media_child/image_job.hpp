// Pictures by libvips: to JPEG, to a preview, or stripped of metadata.
#pragma once

#include "media/jail_protocol.hpp"

namespace satchel::media {

// Once, before the first fork. False if libvips does not start.
bool prepare_image_jobs(const char* program);

// A zygote's Job. One decoder is open, the one for `order.source`, so that content of another
// format under that name is refused by its first bytes.
jail::Answer run_image_job(const jail::JobMessage& order, int input, int output);

}  // namespace satchel::media
