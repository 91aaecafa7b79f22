// Is what a jailed ffmpeg left behind what it was asked for?
#pragma once

#include "media/converter.hpp"
#include "media/ffmpeg_command.hpp"

namespace satchel::media {

// `output` is sealed. For Form::waveform the product is made here, of the samples in it.
// Errc::corrupt if the bytes are not as the command says, or last otherwise than the header of
// the input promised; Errc::too_large for sound longer than limits::sound_duration_max.
Result<Product> check_product(Form form,
                              const FfmpegCommand& command,
                              const FfmpegLog& log,
                              Descriptor output);

}  // namespace satchel::media
