// An open file descriptor and its owner.
#pragma once

#include <utility>

namespace satchel {

// Closed when destroyed. -1 is none.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor();
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }

    int number() const { return number_; }
    explicit operator bool() const { return number_ >= 0; }
    // The caller owns it from here on.
    [[nodiscard]] int release() { return std::exchange(number_, -1); }
    void close() { Descriptor ended(release()); }

private:
    int number_ = -1;
};

}  // namespace satchel
