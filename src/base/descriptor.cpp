#include "base/descriptor.hpp"

#include <unistd.h>

namespace satchel {

Descriptor::~Descriptor() {
    if (number_ >= 0) ::close(number_);
}

}  // namespace satchel
