// PUT of files; what was stored is read back and compared, then deleted, in every round.
import fs from 'node:fs';
import path from 'node:path';

import { MiB } from '../harness/bench.mjs';
import { measure } from '../harness/load.mjs';
import { aesSecondsPerGB, touchDisk } from '../harness/machine.mjs';

const cases = [
    { size: '1 MiB', set: 'medium', bytes: MiB, connections: 8, count: 300 },
    { size: '100 MiB', set: 'large', bytes: 100 * MiB, connections: 2, count: 4 },
];

export async function run(bench) {
    bench.say('PUT: writing the disk blocks once');
    touchDisk(bench.work, 2048 * MiB);
    const nginx = await bench.startNginx();
    const satchel = await bench.startSatchel('store-put');
    const key = await satchel.addPartner();
    for (const each of cases) await put(bench, satchel, key, nginx, each);
    await bench.stop(satchel);
    await bench.stop(nginx);
}

async function put(bench, satchel, key, nginx, { size, set, bytes, connections, count }) {
    const sources = bench.files(set);
    const files = Array.from({ length: count }, (_, i) => sources[i % sources.length]);
    const job = { connections, count };
    const rounds = await bench.interleave(`PUT ${size}`, async (round) => ({
        satchel: await putToSatchel(bench, satchel, key, files, bytes, job),
        nginx: await putToNginx(bench, nginx, files, `r${round + 1}`, job),
        aes: aesSecondsPerGB(),
    }));
    bench.add({
        work: `PUT ${size}`, unit: 'CPU s/GB',
        ours: rounds.map((round) => round.satchel.cpu_seconds_per_gb),
        theirs: rounds.map((round) => round.nginx.cpu_seconds_per_gb + round.aes),
        peer: 'nginx WebDAV PUT, no fsync, + one AES pass', aim: { ratio_max: 1.2 },
    });
    bench.add({
        work: `PUT ${size}, wall time`, unit: 's/GB',
        ours: rounds.map((round) => 1e9 / round.satchel.bytes_per_second),
        theirs: rounds.map((round) => round.nginx.synced_seconds_per_gb),
        peer: 'nginx PUT, then `fsync` of the same files', aim: { ratio_max: 1.25 },
    });
    bench.add({
        work: `PUT ${size}`, unit: 'GB/s',
        ours: rounds.map((round) => round.satchel.bytes_per_second / 1e9),
        theirs: rounds.map((round) => round.nginx.bytes_per_second / 1e9),
        peer: 'nginx PUT, no fsync',
    });
    bench.add({
        work: `DELETE of ${size}`, unit: 'CPU µs',
        ours: rounds.map((round) => round.satchel.removed.cpu_us_per_turn),
        note: 'row, key, bytes and audit entry, durable',
    });
}

async function putToSatchel(bench, satchel, key, files, bytes, job) {
    const created = await satchel.create(bench.load, key, bytes, files.length);
    const result = await measure(satchel, bench.load, {
        ...job, mode: 'put', target: satchel.target,
        list: bench.load.list(created.map((each, i) => [each.uploadUrl, files[i]])),
    });
    const paths = created.map((each) => new URL(each.downloadUrl).pathname);
    await bench.load.run({
        ...job, mode: 'get', target: satchel.target,
        list: bench.load.list(paths.map((each, i) => [each, files[i]])),
    });
    const removed = await measure(satchel, bench.load, {
        mode: 'delete', target: satchel.target, token: key, connections: job.connections,
        list: bench.load.list(created.map((each) => [each.id])),
    });
    await bench.load.run({
        ...job, mode: 'get', target: satchel.target, expect: 404,
        list: bench.load.list(paths.map((each) => [each])),
    });
    return { ...result, removed };
}

async function putToNginx(bench, nginx, files, prefix, job) {
    const names = files.map((_, i) => `${prefix}-${i}`);
    const result = await measure(nginx, bench.load, {
        ...job, mode: 'put', target: nginx.target('sendfile'), expect: 201,
        list: bench.load.list(names.map((name, i) => [`/uploads/${name}`, files[i]])),
    });
    const stored = names.map((name) => path.join(nginx.uploads, name));
    const synced = await syncSeconds(stored);
    await bench.load.run({
        ...job, mode: 'get', target: nginx.target('sendfile'),
        list: bench.load.list(names.map((name, i) => [`/uploads/${name}`, files[i]])),
    });
    for (const file of stored) fs.rmSync(file);
    return {
        ...result,
        synced_seconds_per_gb: ((result.seconds + synced) / result.bytes_out) * 1e9,
    };
}

// All at once, through the threads that Node has for files.
async function syncSeconds(files) {
    const started = process.hrtime.bigint();
    await Promise.all(files.map(async (file) => {
        const handle = await fs.promises.open(file, 'r+');
        await handle.sync();
        await handle.close();
    }));
    return Number(process.hrtime.bigint() - started) / 1e9;
}
