#include "crypto/crc32c.hpp"

#include "base/result.hpp"

#include <array>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace satchel::crypto {
namespace {

constexpr std::uint32_t polynomial = 0x82F63B78;  // Bits reversed.

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

// tables[k][b] is what byte b contributes when k more bytes follow it.
constexpr Tables make_tables() {
    Tables tables{};
    for (std::uint32_t b = 0; b < 256; ++b) {
        std::uint32_t crc = b;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
        tables[0][b] = crc;
    }
    for (std::size_t k = 1; k < tables.size(); ++k) {
        for (std::size_t b = 0; b < 256; ++b) {
            const std::uint32_t before = tables[k - 1][b];
            tables[k][b] = (before >> 8) ^ tables[0][before & 0xFF];
        }
    }
    return tables;
}

constexpr Tables tables = make_tables();

}  // namespace

std::uint32_t crc32c_by_table(std::uint32_t crc, ByteView bytes) {
    crc = ~crc;
    while (bytes.size() >= 8) {
        const std::uint64_t word = read_u64(bytes.data()) ^ crc;
        crc = 0;
        for (unsigned i = 0; i < 8; ++i) crc ^= tables[7 - i][word >> (8 * i) & 0xFF];
        bytes = bytes.subspan(8);
    }
    for (const std::byte b : bytes) {
        crc = (crc >> 8) ^ tables[0][(crc ^ std::to_integer<std::uint32_t>(b)) & 0xFF];
    }
    return ~crc;
}

#if defined(__x86_64__)

bool has_crc32c_instruction() {
    return __builtin_cpu_supports("sse4.2") != 0;
}

__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(std::uint32_t crc,
                                                                      ByteView bytes) {
    std::uint64_t state = ~crc;
    while (bytes.size() >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data(), sizeof word);
        state = _mm_crc32_u64(state, word);
        bytes = bytes.subspan(8);
    }
    auto narrow = static_cast<std::uint32_t>(state);
    for (const std::byte b : bytes)
        narrow = _mm_crc32_u8(narrow, std::to_integer<unsigned char>(b));
    return ~narrow;
}

#else

bool has_crc32c_instruction() {
    return false;
}

std::uint32_t crc32c_by_instruction(std::uint32_t crc, ByteView bytes) {
    ASSERT(has_crc32c_instruction());
    return crc32c_by_table(crc, bytes);
}

#endif

std::uint32_t crc32c(std::uint32_t crc, ByteView bytes) {
    static const bool by_instruction = has_crc32c_instruction();
    return by_instruction ? crc32c_by_instruction(crc, bytes) : crc32c_by_table(crc, bytes);
}

}  // namespace satchel::crypto
