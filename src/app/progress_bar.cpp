#include "app/progress_bar.hpp"

#include "app/output.hpp"

#include <unistd.h>

#include <cstdio>

namespace satchel::app {
namespace {

constexpr std::size_t bar_characters = 30;
constexpr std::size_t name_characters = 24;

}  // namespace

ProgressBar::ProgressBar(std::string_view name)
    : name_(printable(name).substr(0, name_characters)), shown_(::isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() {
    if (drawn_) std::fputs("\n", stderr);
}

void ProgressBar::show(std::uint64_t done, std::uint64_t total, std::string_view note) {
    const auto percent = static_cast<int>(total == 0 ? 100 : done * 100 / total);
    if (!shown_ || percent == percent_) return;
    percent_ = percent;
    drawn_ = true;
    const std::size_t full = bar_characters * static_cast<std::size_t>(percent) / 100;
    std::string bar(full, '#');
    bar.resize(bar_characters, '.');
    std::fprintf(stderr, "\r%-24s [%s] %3d %%  %s ", name_.c_str(), bar.c_str(), percent,
                 std::string(note).c_str());
}

}  // namespace satchel::app
