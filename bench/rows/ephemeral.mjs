// Many ephemeral attachments whose time is over in the same moment: how long until nothing of them
// is left, and what other requests feel meanwhile.
import fs from 'node:fs';
import path from 'node:path';

import { KiB } from '../harness/bench.mjs';
import { measure } from '../harness/load.mjs';
import { bothCores, Failure, serverCore } from '../harness/machine.mjs';

const fileBytes = KiB;
const portion = 10_000; // Uploaded at once: an upload URL lives for 15 minutes.
const windowSeconds = 3;
const daySeconds = 24 * 3600;
const lapseSeconds = 1000;
const patienceMs = 20 * 60_000;
const onOneCoreMax = 20_000;

// On both cores, the second shared with the load; then on one that the load keeps busy.
export async function run(bench) {
    const count = bench.ephemeralCount ?? (bench.full ? 1_000_000 : 20_000);
    if (count < 1_000_000) bench.leave(`ephemeral: ${text(count)} attachments instead of 1,000,000`);
    await expire(bench, count, { cores: bothCores, where: '', aims: [{ max: 600 }, { ratio_max: 2 }] });
    await expire(bench, Math.min(count, onOneCoreMax), {
        cores: serverCore, where: '; server on one core', aims: [],
    });
}

async function expire(bench, count, { cores, where, aims: [timeAim, latencyAim] }) {
    const satchel = await bench.startSatchel(
        `store-ephemeral-${cores}`, { args: ['--test-clock'], cores });
    const kept = await satchel.admin('POST', '/partners', { name: 'kept' });
    const files = await satchel.upload(bench.load, kept.api_key, bench.files('small'));
    const common = {
        target: satchel.target, token: kept.api_key, connections: 4, seconds: windowSeconds,
    };
    const calls = [
        {
            work: 'GET /v3/attachments/{id}', idle: [], busy: [],
            job: { ...common, mode: 'api-get', list: bench.load.list(files.map(({ id }) => [id])) },
        },
        {
            work: 'POST /v3/attachments, durable', idle: [], busy: [],
            job: { ...common, mode: 'post', size: KiB },
        },
    ];
    const look = async (call, into) => into.push(await measure(satchel, bench.load, call.job));
    const key = await satchel.addPartner();
    await satchel.admin('PUT', '/partners/benchmark/tier', { tier: 'ephemeral' });
    await fill(bench, satchel, key, count);

    for (const call of calls) {
        for (let i = 0; i <= bench.rounds; ++i) await look(call, call.idle);
        call.idle.shift();
    }
    // The uploads that were only asked for lapse before, not meanwhile.
    await satchel.admin('POST', '/clock', { advance_seconds: lapseSeconds });
    bench.say(`ephemeral: ${text(count)} expire`);
    const began = Date.now();
    let seconds;
    const expiry = satchel.admin(
        'POST', '/clock', { advance_seconds: daySeconds }, { timeout: patienceMs },
    ).then(() => { seconds = (Date.now() - began) / 1000; });
    expiry.catch(() => {}); // Told by the wait for it.
    // Writes make the sweeper's passes short: a few windows of them, that it may end in time.
    const [get, post] = calls;
    for (let i = 0; seconds === undefined; ++i) {
        const isWrite = i % 2 === 1 && post.busy.length < bench.rounds;
        const call = isWrite ? post : get;
        await look(call, call.busy);
        if (seconds !== undefined && call.busy.length > 1) call.busy.pop(); // Partly at rest.
        await Promise.race([expiry, Promise.resolve()]);
    }
    await expiry;
    await checkGone(bench, satchel, files.length);
    bench.add({
        work: `${text(count)} ephemeral attachments of 1 KiB expire at once, until nothing is left${where}`,
        unit: 's', ours: [seconds], aim: timeAim,
    });
    for (const { work, idle, busy } of calls) {
        const add = (what, unit, figure, aim) => bench.add({
            work: `${work} while they are removed${what}${where}`, unit, aim, peer: 'the same at rest',
            ours: busy.map((each) => each[figure]),
            theirs: busy.map((_, i) => idle[i % idle.length][figure]),
        });
        add(', p99', 'ms', 'p99_ms', latencyAim);
        add('', '/s', 'turns_per_second');
    }
    await bench.stop(satchel);
}

const text = (number) => number.toLocaleString('en-US');

async function fill(bench, satchel, key, count) {
    const file = path.join(bench.work, 'files', 'ephemeral');
    fs.writeFileSync(file, 'e'.repeat(fileBytes));
    for (let done = 0; done < count; done += portion) {
        const created = await satchel.create(
            bench.load, key, fileBytes, Math.min(portion, count - done));
        const [result] = await bench.load.run({
            mode: 'put', target: satchel.target, connections: 64,
            list: bench.load.list(created.map((each) => [each.uploadUrl, file])),
        });
        bench.say(`ephemeral: ${text(done + created.length)} of ${text(count)} uploaded, ` +
            `${Math.round(result.turns_per_second)} /s`);
    }
}

// What is left belongs to the partner that keeps its files.
async function checkGone(bench, satchel, kept) {
    const { partners, queues } = await satchel.admin('GET', '/stats');
    const left = partners.find((each) => each.name === 'benchmark').attachments;
    const blobs = fs.readdirSync(path.join(satchel.folder, 'blobs'), { recursive: true })
        .filter((name) => name.includes(path.sep)).length;
    if (left.complete + left.pending + left.failed > 0 || queues.blob_removals > 0) {
        throw new Failure(`ephemeral: left over: ${JSON.stringify({ left, queues })}`);
    }
    if (blobs !== kept) throw new Failure(`ephemeral: ${blobs} blobs on the disk, not ${kept}`);
}
