// How far something has come, on standard error, if that is a terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace satchel::app {

// Ends its line when destroyed.
class ProgressBar {
public:
    explicit ProgressBar(std::string_view name);
    ~ProgressBar();
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;

    // Draws when the percentage changed. `note` follows it.
    void show(std::uint64_t done, std::uint64_t total, std::string_view note);

private:
    std::string name_;
    bool shown_;
    bool drawn_ = false;
    int percent_ = -1;
};

}  // namespace satchel::app
