// Reads a file of the source tree, for tests that hold documents and code together.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

namespace satchel::test {

inline std::string read_project_file(const std::string& path) {
    std::ifstream file(SATCHEL_SOURCE_DIR "/" + path, std::ios::binary);
    EXPECT_TRUE(file.is_open()) << path;
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace satchel::test
