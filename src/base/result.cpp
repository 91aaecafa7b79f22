#include "base/result.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace satchel {

void assertion_failed(const char* condition, const char* file, int line) {
    std::fprintf(stderr,
                 R"({"level":"critical","event":"assertion_failed","condition":"%s","at":"%s:%d"})"
                 "\n",
                 condition, file, line);
    std::abort();
}

}  // namespace satchel
