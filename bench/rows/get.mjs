// GET of stored files, plain and over TLS 1.3. Every body is compared with the file it came from.
import path from 'node:path';

import { measure } from '../harness/load.mjs';
import { aesSecondsPerGB } from '../harness/machine.mjs';

const cases = [
    { size: '100 KiB', set: 'small', connections: 16, count: 4000 },
    { size: '1 MiB', set: 'medium', connections: 8, count: 400 },
    { size: '100 MiB', set: 'large', connections: 4, count: 4 },
];

const ranges = ['0-0', '65535-65536', '1000-70000', '102399-102399'];

export async function run(bench) {
    const nginx = await bench.startNginx();
    const plain = await bench.startSatchel('store-get');
    const key = await plain.addPartner();
    const stored = {};
    for (const { set } of cases) {
        stored[set] = await plain.upload(bench.load, key, bench.files(set));
    }
    for (const each of cases) await getPlain(bench, plain, nginx, each, stored[each.set]);
    await bench.stop(plain);
    const secure = await bench.startSatchel('store-get', { tls: true });
    for (const each of cases) await getTls(bench, secure, nginx, each, stored[each.set]);
    await bench.stop(secure);
    await bench.stop(nginx);
}

function lists(bench, stored) {
    return {
        ours: bench.load.list(stored.map(({ path: url, file }) => [url, file])),
        ranges: bench.load.list(
            stored.flatMap(({ path: url, file }) => ranges.map((range) => [url, file, range]))),
        theirs: bench.load.list(stored.map(({ file }) => [`/${path.basename(file)}`, file])),
    };
}

async function getPlain(bench, satchel, nginx, { size, set, connections, count }, stored) {
    const list = lists(bench, stored);
    const job = { mode: 'get', connections, count };
    await bench.load.run({
        ...job, target: satchel.target, list: list.ranges, count: stored.length * ranges.length,
    });
    const from = (server) =>
        measure(nginx, bench.load, { ...job, target: nginx.target(server), list: list.theirs });
    const rounds = await bench.interleave(`GET ${size}`, async () => ({
        satchel: await measure(
            satchel, bench.load, { ...job, target: satchel.target, list: list.ours }),
        copy: await from('copy'),
        sendfile: await from('sendfile'),
        large: await from('large'),
        aes: aesSecondsPerGB(),
    }));
    const cpu = (name) => rounds.map((round) => round[name].cpu_seconds_per_gb);
    const speed = (name) => rounds.map((round) => round[name].bytes_per_second / 1e9);
    bench.add({
        work: `GET ${size}`, unit: 'CPU s/GB', ours: cpu('satchel'),
        theirs: rounds.map((round) => round.copy.cpu_seconds_per_gb + round.aes),
        peer: 'nginx `sendfile off` + one AES pass', aim: { ratio_max: 1.15 },
    });
    bench.add({
        work: `GET ${size}`, unit: 'CPU s/GB', ours: cpu('satchel'),
        theirs: rounds.map((round) => round.large.cpu_seconds_per_gb + round.aes),
        peer: 'nginx `sendfile off`, `output_buffers 1 512k` + one AES pass',
    });
    bench.add({
        work: `GET ${size}`, unit: 'GB/s', ours: speed('satchel'), theirs: speed('copy'),
        peer: 'nginx `sendfile off`',
    });
    bench.add({
        work: `GET ${size}`, unit: 'GB/s', ours: speed('satchel'), theirs: speed('sendfile'),
        peer: 'nginx `sendfile on`',
    });
    if (set === 'small') {
        bench.add({ work: 'One AES-256-GCM pass', unit: 'CPU s/GB', ours: rounds.map((r) => r.aes) });
    }
}

async function getTls(bench, satchel, nginx, { size, connections, count }, stored) {
    const list = lists(bench, stored);
    const job = { mode: 'get', tls: true, connections, count };
    const rounds = await bench.interleave(`GET ${size} over TLS`, async () => ({
        satchel: await measure(
            satchel, bench.load, { ...job, target: satchel.target, list: list.ours }),
        nginx: await measure(
            nginx, bench.load, { ...job, target: nginx.target('tls'), list: list.theirs }),
        aes: aesSecondsPerGB(),
    }));
    const speed = (name) => rounds.map((round) => round[name].bytes_per_second / 1e9);
    bench.add({
        work: `GET ${size} over TLS 1.3`, unit: 'CPU s/GB',
        ours: rounds.map((round) => round.satchel.cpu_seconds_per_gb),
        theirs: rounds.map((round) => round.nginx.cpu_seconds_per_gb + round.aes),
        peer: 'nginx over TLS + one AES pass', aim: { ratio_max: 1.25 },
    });
    bench.add({
        work: `GET ${size} over TLS 1.3`, unit: 'GB/s', ours: speed('satchel'),
        theirs: speed('nginx'), peer: 'nginx over TLS',
    });
}
