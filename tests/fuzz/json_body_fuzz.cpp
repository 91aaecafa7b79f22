#include "api/attachments.hpp"

#include <cstddef>
#include <cstdint>

// The body of POST /v3/attachments: a value or an error, never a crash.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    satchel::ignore(satchel::api::parse_create_attachment(text), "only the absence of a crash");
    return 0;
}
