// A new master key: how fast every attachment's key is wrapped again, and what that does to GET.
import { MiB } from '../harness/bench.mjs';
import { cpuSeconds, Failure, sleep } from '../harness/machine.mjs';

const attachments = 200_000;
const connections = 32;
const ids = 2000;
const lookMs = 2;
const endWaitMs = 120_000;

export async function rotate(bench) {
    const satchel = await bench.startSatchel('store-keys');
    const key = await satchel.addPartner();
    bench.say(`keys: filling the store with ${attachments} attachments`);
    const post = { mode: 'post', target: satchel.target, token: key, size: MiB, connections: 64 };
    await bench.load.run({ ...post, count: attachments - ids });
    const known = await satchel.create(bench.load, key, MiB, ids);
    const list = bench.load.list(known.map(({ id }) => [id]));
    const gets = {
        mode: 'api-get', target: satchel.target, token: key, list, connections,
        count: bench.full ? 100_000 : 40_000,
    };
    const rounds = await bench.interleave('keys', async () => {
        const alone = await rewrapAll(satchel);
        const [quiet] = await bench.load.run(gets);
        return { alone, quiet, ...(await rewrapMeanwhile(bench, satchel, gets)) };
    });
    await bench.stop(satchel);
    const column = (who, name) => rounds.map((round) => round[who][name]);
    const work = `Re-wrapping the keys of ${attachments.toLocaleString('en-US')} attachments`;
    bench.add({
        work, unit: '/s', ours: column('alone', 'per_second'), aim: { min: 50_000 },
    });
    bench.add({ work, unit: 'CPU µs', ours: column('alone', 'cpu_us') });
    bench.add({
        work: `GET an attachment, ${connections} connections, while keys are re-wrapped, p99`,
        unit: 'ms', ours: column('busy', 'p99_ms'), theirs: column('quiet', 'p99_ms'),
        peer: 'satchel without re-wrapping',
    });
    bench.add({
        work: `${work} beside GET from ${connections} connections`, unit: '/s',
        ours: column('beside', 'per_second'),
    });
}

// One rotation to its end; then the old version goes, so that the next has room.
async function rewrapAll(satchel) {
    const cpu = cpuSeconds(satchel.pid);
    const begun = performance.now();
    let progress = await satchel.admin('POST', '/master-keys/rotate');
    while (progress.running) {
        if (performance.now() - begun > endWaitMs) throw new Failure('re-wrapping does not end');
        await sleep(lookMs);
        progress = await satchel.admin('GET', '/master-keys/rewrap');
    }
    const seconds = (performance.now() - begun) / 1000;
    if (progress.rewrapped !== attachments || progress.damaged !== 0) {
        throw new Failure(`re-wrapped ${progress.rewrapped} of ${attachments} attachments`);
    }
    const used = cpuSeconds(satchel.pid) - cpu;
    await satchel.admin('DELETE', `/master-keys/${progress.version - 1}`);
    return { per_second: attachments / seconds, cpu_us: (used / attachments) * 1e6 };
}

// Rotates again and again until the GETs have ended.
async function rewrapMeanwhile(bench, satchel, gets) {
    let ended = false;
    const load = bench.load.run(gets).finally(() => { ended = true; });
    const speeds = [];
    do {
        const { per_second: speed } = await rewrapAll(satchel);
        if (!ended || speeds.length === 0) speeds.push(speed);
    } while (!ended);
    const [busy] = await load;
    return { busy, beside: { per_second: speeds.reduce((sum, each) => sum + each, 0) / speeds.length } };
}
