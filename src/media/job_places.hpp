// A number of places that jobs wait for in the order of their coming.
#pragma once

#include "base/async.hpp"

#include <chrono>
#include <cstddef>
#include <memory>

namespace satchel::media {

// Used on any number of loops at once; may be destroyed while places are taken or waited for.
class JobPlaces {
public:
    JobPlaces(std::size_t places, std::size_t waiting_max);

    // A taken place, until it is destroyed. On any thread.
    class Place;

    // Errc::unavailable if too many wait already, or after `patience`.
    Async<Place> take(std::chrono::steady_clock::duration patience);

private:
    struct State;
    std::shared_ptr<State> state_;
};

class JobPlaces::Place {
public:
    Place(Place&&) noexcept = default;
    Place& operator=(Place&&) = delete;
    ~Place();

private:
    friend class JobPlaces;
    explicit Place(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
};

}  // namespace satchel::media
