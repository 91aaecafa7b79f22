// Who changes something, and in which request.
#pragma once

#include "model/ids.hpp"

#include <string>

namespace satchel {

struct Change {
    PartnerId partner;
    std::string trace_id;  // Stands in the events; empty: a new one.
};

}  // namespace satchel
