// Who runs next: at most so many at once, at most so many of one key, keys take turns.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace satchel::fetch {

struct QueueLimits {
    std::size_t running_max = 0;
    std::size_t running_per_key_max = 0;
    std::size_t waiting_per_key_max = 0;
};

// Used by one thread.
template <class Item>
class FairQueue {
public:
    explicit FairQueue(QueueLimits limits) : limits_(limits) {}

    // False if the key's line is full; `item` is then untouched.
    bool push(const std::string& key, Item& item) {
        Lane& lane = lanes_[key];
        if (lane.waiting.size() >= limits_.waiting_per_key_max) return false;
        if (lane.waiting.empty()) turns_.push_back(key);
        lane.waiting.push_back(std::move(item));
        return true;
    }

    // The next item that may run. It counts as running until done() is called with its key.
    std::optional<Item> pop() {
        if (running_ >= limits_.running_max) return std::nullopt;
        for (std::size_t asked = turns_.size(); asked > 0; --asked) {
            std::string key = std::move(turns_.front());
            turns_.pop_front();
            Lane& lane = lanes_.at(key);
            if (lane.running >= limits_.running_per_key_max) {
                turns_.push_back(std::move(key));
                continue;
            }
            Item item = std::move(lane.waiting.front());
            lane.waiting.pop_front();
            ++lane.running;
            ++running_;
            if (!lane.waiting.empty()) turns_.push_back(std::move(key));
            return item;
        }
        return std::nullopt;
    }

    void done(const std::string& key) {
        const auto found = lanes_.find(key);
        ASSERT(found != lanes_.end() && found->second.running > 0);
        --running_;
        if (--found->second.running == 0 && found->second.waiting.empty()) lanes_.erase(found);
    }

    // Takes out what waits and `wanted` says yes to.
    template <class Wanted>
    std::vector<Item> take_waiting(Wanted wanted) {
        std::vector<Item> taken;
        for (auto lane = lanes_.begin(); lane != lanes_.end();) {
            auto& waiting = lane->second.waiting;
            const bool waited = !waiting.empty();
            for (auto item = waiting.begin(); item != waiting.end();) {
                if (!wanted(*item)) {
                    ++item;
                    continue;
                }
                taken.push_back(std::move(*item));
                item = waiting.erase(item);
            }
            if (waited && waiting.empty()) std::erase(turns_, lane->first);
            const bool unused = waiting.empty() && lane->second.running == 0;
            lane = unused ? lanes_.erase(lane) : std::next(lane);
        }
        return taken;
    }

    bool anyone_waits() const { return !turns_.empty(); }

private:
    struct Lane {
        std::deque<Item> waiting;
        std::size_t running = 0;
    };

    const QueueLimits limits_;
    std::unordered_map<std::string, Lane> lanes_;
    std::deque<std::string> turns_;  // Each key that has something waiting, once.
    std::size_t running_ = 0;
};

}  // namespace satchel::fetch
