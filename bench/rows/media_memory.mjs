// The highest resident set of the process that converts a picture.
import fs from 'node:fs';

import { MediaBench } from '../harness/media.mjs';
import { childrenOf, highestResidentMiB, sleep } from '../harness/machine.mjs';

const cases = [
    { name: '24mpx.tif', type: 'image/tiff', what: 'a 24 Mpx TIFF (72 MB)', max: 100 },
    { name: '24mpx.heic', type: 'image/heic', what: 'a 24 Mpx HEIC', max: 300 },
];

export async function run(bench) {
    const settings = '[media]\nheic_to_jpeg = true\n';
    const satchel = await bench.startSatchel('store-media-memory', { settings });
    const media = await MediaBench.open(bench, satchel);
    for (const each of cases) await peak(bench, media, each);
    await bench.stop(satchel);
}

async function peak(bench, media, { name, type, what, max }) {
    const file = media.picture(name);
    const rounds = await bench.interleave(`memory of ${what}`, async () => {
        const id = await media.upload(file, type);
        let done = false;
        const sent = media.sendAs(id, 'image/jpeg').finally(() => (done = true));
        let highest = 0;
        while (!done) {
            const zygotes = childrenOf(media.satchel.pid);
            const jobs = zygotes.flatMap((zygote) => childrenOf(zygote));
            highest = Math.max(highest, ...jobs.map(highestResidentMiB));
            await sleep(1);
        }
        await sent;
        bench.check(highest > 0, 'the conversion was not seen');
        return highest;
    });
    bench.add({
        work: `Memory of the process that makes a JPEG of ${what}, highest`, unit: 'MiB',
        ours: rounds, aim: { max },
    });
}
