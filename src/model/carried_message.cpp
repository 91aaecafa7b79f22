#include "model/carried_message.hpp"

#include <algorithm>

namespace satchel {

bool CarriedMessage::has_files() const {
    return std::ranges::any_of(
        parts, [](const CarriedPart& part) { return std::holds_alternative<CarriedFile>(part); });
}

}  // namespace satchel
