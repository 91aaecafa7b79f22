// satchel-media: decodes pictures for the server, each in a confined process of its own.
// Started by the server with a channel as descriptor 3; of no use by hand.
#include "media_child/fonts.hpp"
#include "media_child/image_job.hpp"
#include "media_child/zygote.hpp"

#include <cstdio>
#include <cstring>

int main(int count, char** arguments) {
    if (count != 2 || std::strcmp(arguments[1], "--zygote") != 0) {
        std::fputs("satchel-media is started by satchel; it takes no orders by hand\n", stderr);
        return 2;
    }
    if (!satchel::media::prepare_image_jobs(arguments[0])) return 1;
    return satchel::media::run_zygote(satchel::media::jail::channel_descriptor,
                                      satchel::media::run_image_job,
                                      satchel::media::prepare_fonts());
}
