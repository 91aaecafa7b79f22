// Small requests, downloads and uploads while pictures are converted on the same core, beside the
// same at rest; and the memory of the server meanwhile.
import { MediaBench } from '../harness/media.mjs';
import { MiB } from '../harness/bench.mjs';
import { residentMiB, sleep } from '../harness/machine.mjs';

const conversionsAtOnce = 10;
const puts = 500;

export async function run(bench) {
    const satchel = await bench.startSatchel('store-media-beside');
    const media = await MediaBench.open(bench, satchel);
    const files = await satchel.upload(bench.load, media.key, bench.files('medium'));
    const common = { target: satchel.target, connections: 4 };
    const list = bench.load.list(files.map((each) => [each.id]));
    await beside(bench, media, 'GET /v3/attachments/{id}', async () => ({
        ...common, mode: 'api-get', token: media.key, seconds: 2, list,
    }));
    const paths = bench.load.list(files.map((each) => [each.path, each.file]));
    await beside(bench, media, 'GET of 1 MiB', async () => ({
        ...common, mode: 'get', seconds: 2, list: paths,
    }));
    await beside(bench, media, 'PUT of 1 MiB', async () => {
        const created = await satchel.create(bench.load, media.key, MiB, puts);
        const lines = created.map((each, i) => [each.uploadUrl, files[i % files.length].file]);
        return { ...common, mode: 'put', list: bench.load.list(lines) };
    });
    await memory(bench, media);
    await bench.stop(satchel);
}

// `job()`: a load to run, anew each time.
async function beside(bench, media, work, job) {
    const rounds = await bench.interleave(`${work} beside conversions`, async () => {
        const [rest] = await bench.load.run(await job());
        const ids = await uploads(media);
        const load = await job();
        const began = process.hrtime.bigint();
        const sends = Promise.all(ids.map((id) => media.sendAs(id, 'image/jpeg')));
        const [busy] = await bench.load.run(load);
        await sends;
        return { rest, busy, seconds: Number(process.hrtime.bigint() - began) / 1e9 };
    });
    bench.add({
        work: `${work} while ${conversionsAtOnce} TIFFs are converted, p99`, unit: 'ms',
        ours: rounds.map(({ busy }) => busy.p99_ms), theirs: rounds.map(({ rest }) => rest.p99_ms),
        peer: 'the same at rest', note: 'conversions on the same core', aim: { ratio_max: 2 },
    });
    bench.add({
        work: `${conversionsAtOnce} TIFFs to JPEG beside 4 connections that ask without pause (${work})`,
        unit: 's', ours: rounds.map(({ seconds }) => seconds),
    });
}

async function uploads(media) {
    const file = media.picture('12mpx.tif');
    const ids = [];
    for (let i = 0; i < conversionsAtOnce; ++i) ids.push(await media.upload(file, 'image/tiff'));
    return ids;
}

// Of the server's own process. Contents in memory files, on their way to the jail, are not its.
async function memory(bench, media) {
    const rounds = await bench.interleave('memory beside conversions', async () => {
        const ids = await uploads(media);
        const before = residentMiB(media.satchel.pid);
        let highest = before;
        let done = false;
        const sends = Promise.all(ids.map((id) => media.sendAs(id, 'image/jpeg')))
            .finally(() => (done = true));
        while (!done) {
            highest = Math.max(highest, residentMiB(media.satchel.pid));
            await sleep(2);
        }
        await sends;
        return { before, more: highest - before };
    });
    const before = rounds.map((round) => round.before);
    bench.add({
        work: `Memory of the server, ${conversionsAtOnce} conversions at once add`, unit: 'MiB',
        ours: rounds.map((round) => round.more), aim: { max: 8 },
        note: `${Math.max(...before).toFixed(1)} MiB before`,
    });
}
