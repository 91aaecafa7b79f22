// Resident memory: idle, with many uploads at once, with many idle connections.
import path from 'node:path';
import fs from 'node:fs';

import { MiB } from '../harness/bench.mjs';
import { freeDiskBytes, residentMiB, sleep } from '../harness/machine.mjs';

const uploads = 200;
const idleConnections = 5000;

export async function run(bench) {
    const idle = [];
    const connections = [];
    const nginxConnections = [];
    const nginx = await bench.startNginx();
    for (let round = 0; round < bench.rounds; ++round) {
        bench.say(`memory: round ${round + 1} of ${bench.rounds}`);
        const satchel = await bench.startSatchel(`store-memory-${round}`);
        await sleep(500);
        idle.push(residentMiB(satchel.pid));
        connections.push(await heldMiB(bench, satchel, satchel.target, '/healthz'));
        if (round === 0) {
            nginxConnections.push(await heldMiB(bench, nginx, nginx.target('sendfile'), '/answer'));
        }
        await bench.stop(satchel);
    }
    bench.add({ work: 'Memory, idle', unit: 'MiB', ours: idle, aim: { max: 16 } });
    bench.add({
        work: `Memory, ${idleConnections.toLocaleString('en-US')} idle connections add`,
        note: `nginx's worker: ${nginxConnections[0].toFixed(1)} MiB`,
        unit: 'MiB', ours: connections, aim: { max: 60 },
    });
    await bench.stop(nginx);
    await uploadsAtOnce(bench);
}

async function heldMiB(bench, server, target, url) {
    const before = residentMiB(server.pid);
    const job = { target, list: bench.load.list([[url]]), connections: idleConnections };
    return bench.load.hold(job, async () => {
        await sleep(300);
        return residentMiB(server.pid) - before;
    });
}

async function uploadsAtOnce(bench) {
    const size = bench.full ? 100 * MiB : 8 * MiB;
    const name = bench.full ? '100 MiB' : '8 MiB';
    if (!bench.full) bench.leave('memory: 200 uploads of 8 MiB at once, not of 100 MiB');
    const needed = uploads * size * 1.2;
    if (freeDiskBytes(bench.work) < needed) {
        bench.leave(`memory with ${uploads} uploads: the disk has less than ${needed / 1e9} GB free`);
        return;
    }
    bench.say(`memory: ${uploads} uploads of ${name} at once`);
    const satchel = await bench.startSatchel('store-uploads');
    const key = await satchel.addPartner();
    const file = bench.full ? bench.files('large')[0] : shortFile(bench, size);
    const created = await satchel.create(bench.load, key, size, uploads);
    const before = residentMiB(satchel.pid);
    let most = before;
    const timer = setInterval(() => (most = Math.max(most, residentMiB(satchel.pid))), 20);
    await bench.load.run({
        mode: 'put', target: satchel.target, connections: uploads,
        list: bench.load.list(created.map((each) => [each.uploadUrl, file])),
    });
    clearInterval(timer);
    bench.add({
        work: `Memory, ${uploads} uploads of ${name} at once add`, unit: 'MiB',
        ours: [most - before], aim: { max: 100 }, note: 'highest of samples 20 ms apart, one run',
    });
    await bench.load.run({
        mode: 'get', target: satchel.target, connections: 2, count: bench.full ? 20 : uploads,
        list: bench.load.list(created.map((each) => [new URL(each.downloadUrl).pathname, file])),
    });
    await bench.stop(satchel);
    fs.rmSync(bench.folder('store-uploads'), { recursive: true });
}

function shortFile(bench, size) {
    const file = path.join(bench.work, 'short');
    fs.writeFileSync(file, fs.readFileSync(bench.files('large')[0]).subarray(0, size));
    return file;
}
