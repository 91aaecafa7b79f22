// Inputs made by the ffmpeg of this machine, and what it says of products.
#pragma once

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "media/ffmpeg_jail.hpp"
#include "media/memory_file.hpp"
#include "tests/support/run.hpp"
#include "tests/support/temp_folder.hpp"

#include <dirent.h>
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace satchel::media {

// The products' own numbers as ffprobe prints them: "codec_name=aac\nchannels=1\n...".
struct Probe {
    std::string text;
    bool has(std::string_view line) const {
        return ("\n" + text).contains("\n" + std::string(line) + "\n");
    }
    std::string value(const std::string& key) const {
        const std::string lines = "\n" + text;
        const std::size_t at = lines.find("\n" + key + "=");
        if (at == std::string::npos) return {};
        const std::size_t begin = at + key.size() + 2;
        return lines.substr(begin, lines.find('\n', begin) - begin);
    }
};

struct FfmpegTest : testing::Test {
    test::TempFolder folder;
    JailSetup setup;
    mutable MemoryBudget budget{limits::media_memory_bytes_max};

    static std::string read(const std::string& path) {
        std::ifstream file(path, std::ios::binary);
        std::ostringstream content;
        content << file.rdbuf();
        return content.str();
    }

    std::string write(const std::string& name, std::string_view content) const {
        const std::string path = folder / name;
        std::ofstream(path, std::ios::binary) << content;
        return path;
    }

    static std::string output_of(const std::string& command) {
        FILE* const pipe = ::popen(command.c_str(), "r");
        std::string text;
        for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) text += static_cast<char>(c);
        EXPECT_EQ(::pclose(pipe), 0) << command;
        return text;
    }

    // The file that `ffmpeg arguments name` makes.
    std::string make(const std::string& arguments, const std::string& name) const {
        const std::string path = folder / name;
        output_of("ffmpeg -nostdin -v error -y " + arguments + " " + path);
        return read(path);
    }
    std::string make_tone(const std::string& arguments, const std::string& name) const {
        return make("-f lavfi -i sine=frequency=440:duration=3:sample_rate=48000 " + arguments,
                    name);
    }

    Probe probe(const Product& product) const {
        const std::string path = write("product", bytes_of(product));
        return {output_of("ffprobe -v error -show_format -show_streams " + path)};
    }

    static std::string bytes_of(const Product& product) {
        std::string content(product.size_bytes, '\0');
        EXPECT_EQ(read_at(product.bytes, std::as_writable_bytes(std::span(content)), 0),
                  content.size());
        return content;
    }

    static Order order(Form form, std::string type, std::string_view content) {
        Order made{.form = form, .source_type = std::move(type)};
        made.input = std::move(*sealed_memory_file("input", as_bytes(content)));
        return made;
    }

    Result<Product> convert(Form form,
                            const std::string& type,
                            std::string_view content,
                            std::uint32_t width = 0) const {
        FfmpegJail jail(budget, setup);
        Order wanted = order(form, type, content);
        wanted.width = width;
        return test::run(jail.convert(std::move(wanted)));
    }

    // Whether any process on this machine was started with `word` among its arguments.
    static bool is_running(const std::string& word) {
        bool found = false;
        DIR* const processes = ::opendir("/proc");
        while (const dirent* const entry = ::readdir(processes)) {
            const std::string id = entry->d_name;
            if (id.find_first_not_of("0123456789") != std::string::npos) continue;
            found = found || read("/proc/" + id + "/cmdline").contains(word);
        }
        ::closedir(processes);
        return found;
    }

    static bool has_children() {
        siginfo_t info{};
        return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
    }
};

}  // namespace satchel::media
