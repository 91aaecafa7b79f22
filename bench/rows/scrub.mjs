// How fast the scrubber reads, decrypts and authenticates when nothing holds it back.
import fs from 'node:fs';

import { sleep } from '../harness/machine.mjs';

const measuredMs = 3000;
const readBytes = 'satchel_scrub_bytes_total';

export async function run(bench) {
    const store = 'store-scrub';
    const filling = await bench.startSatchel(store);
    const key = await filling.addPartner();
    for (const set of ['medium', 'large']) await filling.upload(bench.load, key, bench.files(set));
    await bench.stop(filling);

    // A pass begins when the one before has ended: the rate is one of many passes.
    const satchel = await bench.startSatchel(store, {
        settings: '[integrity]\nscrub_mib_per_second = 1000000\nscrub_interval_seconds = 1\n',
    });
    const rates = await bench.interleave('scrub', async () => {
        const idle = await satchel.metric(readBytes);
        while ((await satchel.metric(readBytes)) === idle) await sleep(1);
        const from = await satchel.metric(readBytes);
        const began = process.hrtime.bigint();
        let read = 0;
        let elapsedMs = 0;
        // To the end of the pass, since between two of them nothing is read.
        for (let stands = false; !stands && elapsedMs < measuredMs;) {
            await sleep(20);
            const now = (await satchel.metric(readBytes)) - from;
            stands = now === read;
            if (stands) break;
            read = now;
            elapsedMs = Number(process.hrtime.bigint() - began) / 1e6;
        }
        return read / 1e3 / elapsedMs;
    });
    await bench.stop(satchel);
    fs.rmSync(bench.folder(store), { recursive: true });
    bench.add({
        work: 'Scrub, files of 1 and 100 MiB in memory, no limit', unit: 'MB/s',
        ours: rates, aim: { min: 400 },
    });
}
