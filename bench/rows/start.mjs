// From spawn to the first answer of /readyz with 200.
import http from 'node:http';

import { Satchel } from '../harness/satchel.mjs';

export async function run(bench) {
    const satchel = await bench.startSatchel('store-start');
    await bench.stop(satchel);
    bench.add({
        work: 'Start to first answered request, empty store', unit: 'ms',
        ours: await startTimes(bench, 'store-start'), aim: { max: 50 },
    });
}

export function startTimes(bench, store) {
    return bench.interleave(`start of ${store}`, async () => {
        const server = new Satchel(bench.satchelProgram, bench.folder(store));
        await server.prepare();
        const started = process.hrtime.bigint();
        server.spawn();
        bench.keep(server);
        while ((await statusOf(`${server.origin}/readyz`)) !== 200) {
            const seconds = Number(process.hrtime.bigint() - started) / 1e9;
            bench.check(server.child.exitCode === null && seconds < 60,
                `satchel did not start: ${server.logEnd()}`);
        }
        const elapsed = Number(process.hrtime.bigint() - started) / 1e6;
        await bench.stop(server);
        return elapsed;
    });
}

// 0 while nothing listens: the next try follows at once.
function statusOf(url) {
    return new Promise((resolve) => {
        const request = http.get(url, { agent: false }, (response) => {
            response.resume();
            response.on('end', () => resolve(response.statusCode));
        });
        request.on('error', () => resolve(0));
    });
}
