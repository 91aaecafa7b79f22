// One converter of the two: pictures go to the zygote, sound and video to ffmpeg.
#pragma once

#include "media/converter.hpp"
#include "media/ffmpeg_jail.hpp"
#include "media/image_jail.hpp"

namespace satchel::media {

// Used on the loop of `images`. Both outlive it.
class JailedConverter : public Converter {
public:
    JailedConverter(ImageJail& images, FfmpegJail& sound) : images_(images), sound_(sound) {}

    Async<Product> convert(Order order) override {
        if (ImageJail::takes(order.form, order.source_type)) {
            co_return co_await images_.convert(std::move(order));
        }
        co_return co_await sound_.convert(std::move(order));
    }

private:
    ImageJail& images_;
    FfmpegJail& sound_;
};

}  // namespace satchel::media
