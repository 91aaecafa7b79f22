// What a call costs in a small store and in a large one, and how long the large one takes to start.
import fs from 'node:fs';

import { MiB } from '../harness/bench.mjs';
import { measure } from '../harness/load.mjs';
import { startTimes } from './start.mjs';

const getsPerRound = 10_000;
const idsToGet = 2000;

// As many as are posted: the stores keep their size.
const deletesPerRound = (bench) => Math.min(1000, Math.floor(8000 / (bench.rounds + 1)));

export async function run(bench) {
    const [small, large] = bench.full ? [10_000, 1_000_000] : [10_000, 50_000];
    if (!bench.full) {
        bench.leave('growth: 50,000 attachments instead of 1,000,000; the same for the start');
    }
    const stores = [
        await fill(bench, 'store-growth-small', small),
        await fill(bench, 'store-growth-large', large),
    ];
    const rounds = await bench.interleave('growth', async () => {
        const costs = [];
        for (const store of stores) costs.push(await callCosts(bench, store));
        return costs;
    });
    for (const name of ['POST', 'GET', 'DELETE']) {
        bench.add({
            work: `${name} with ${count(large)} attachments`, unit: 'CPU µs',
            ours: rounds.map(([, inLarge]) => inLarge[name]),
            theirs: rounds.map(([inSmall]) => inSmall[name]),
            peer: `satchel with ${count(small)}`, aim: { ratio_max: 1.5 },
        });
    }
    for (const store of stores) await bench.stop(store.satchel);
    bench.add({
        work: `Start to first answered request, ${count(large)} attachments`, unit: 'ms',
        ours: await startTimes(bench, 'store-growth-large'), aim: { max: 500 },
    });
}

const count = (number) => number.toLocaleString('en-US');

async function fill(bench, name, size) {
    bench.say(`growth: filling ${name} with ${count(size)} attachments`);
    const satchel = await bench.startSatchel(name);
    const key = await satchel.addPartner();
    const save = bench.load.file(name);
    const [result] = await bench.load.run({
        mode: 'post', target: satchel.target, token: key, size: MiB, connections: 64,
        count: size, save, 'save-ids': true,
    });
    bench.say(`  ${Math.round(result.turns_per_second)} /s`);
    const ids = shuffled(fs.readFileSync(save, 'utf8').trim().split('\n'));
    const kept = ids.splice(0, idsToGet);
    return { satchel, key, toDelete: ids, list: bench.load.list(kept.map((id) => [id])) };
}

async function callCosts(bench, { satchel, key, toDelete, list }) {
    const to = { target: satchel.target, token: key };
    const deletes = toDelete.splice(0, deletesPerRound(bench));
    const post = await measure(satchel, bench.load, {
        mode: 'post', ...to, size: MiB, connections: 64, count: deletes.length,
    });
    const get = await measure(satchel, bench.load, {
        mode: 'api-get', ...to, list, connections: 32, count: getsPerRound,
    });
    const removed = await measure(satchel, bench.load, {
        mode: 'delete', ...to, connections: 64, list: bench.load.list(deletes.map((id) => [id])),
    });
    return {
        POST: post.cpu_us_per_turn, GET: get.cpu_us_per_turn, DELETE: removed.cpu_us_per_turn,
    };
}

// The same order in every run (Park and Miller's generator).
function shuffled(items) {
    let state = 12345;
    for (let i = items.length - 1; i > 0; --i) {
        state = (state * 48271) % 2147483647;
        const j = state % (i + 1);
        [items[i], items[j]] = [items[j], items[i]];
    }
    return items;
}
