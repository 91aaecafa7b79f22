// A line's id in the API: made from its owner and number, so it needs no storage and stays.
#pragma once

#include "base/uuid.hpp"
#include "model/ids.hpp"

#include <string_view>

namespace satchel {

Uuid line_id(PartnerId partner, std::string_view number);

}  // namespace satchel
