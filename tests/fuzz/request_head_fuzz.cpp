#include "http/head.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

// The head of a request: no crash, and what is accepted has the shape handlers rely on.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace satchel::http;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto end = find_head_end(bytes, 0);
    if (!end) return 0;
    const auto head = parse_head(bytes.substr(0, *end));
    if (!head) return 0;
    if (!head->path.starts_with('/')) std::abort();
    if (head->chunked && head->content_length) std::abort();
    for (const auto& [name, value] : head->headers) {
        if (name.empty()) std::abort();
        if (value.find_first_of("\r\n") != std::string_view::npos) std::abort();
    }
    return 0;
}
