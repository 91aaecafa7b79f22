// Small requests beside two downloads that never end.
import path from 'node:path';

import { measure } from '../harness/load.mjs';

export async function run(bench) {
    const satchel = await bench.startSatchel('store-fairness');
    const nginx = await bench.startNginx('{"small":true}');
    const key = await satchel.addPartner();
    const files = await satchel.upload(bench.load, key, bench.files('large'));
    const endless = { mode: 'get', connections: 2, count: 1_000_000 };
    const small = { connections: 4, seconds: bench.full ? 4 : 2 };
    const ours = [
        {
            ...small, mode: 'api-get', target: satchel.target, token: key,
            list: bench.load.list(files.map((each) => [each.id])),
        },
        {
            ...endless, target: satchel.target,
            list: bench.load.list(files.map((each) => [each.path, each.file])),
        },
    ];
    const theirs = [
        {
            ...small, mode: 'get', target: nginx.target('sendfile'),
            list: bench.load.list([['/answer']]),
        },
        {
            ...endless, target: nginx.target('copy'),
            list: bench.load.list(files.map(({ file }) => [`/${path.basename(file)}`, file])),
        },
    ];
    const rounds = await bench.interleave('fairness', async () => ({
        satchel: await measure(satchel, bench.load, ...ours),
        nginx: await measure(nginx, bench.load, ...theirs),
    }));
    const column = (who, name) => rounds.map((round) => round[who][name]);
    const work = 'GET /v3/attachments/{id} beside two endless downloads';
    const peer = 'nginx `return 200` beside the same, `sendfile off`';
    bench.add({
        work: `${work}, p99`, unit: 'ms', ours: column('satchel', 'p99_ms'),
        theirs: column('nginx', 'p99_ms'), peer, aim: { max: 5 },
    });
    bench.add({
        work, unit: '/s', ours: column('satchel', 'turns_per_second'),
        theirs: column('nginx', 'turns_per_second'), peer,
    });
    const downloads = (who) => rounds.map((round) => round[who].others[0].bytes_per_second / 1e9);
    bench.add({
        work: `${work}: the downloads`, unit: 'GB/s', ours: downloads('satchel'),
        theirs: downloads('nginx'), peer,
    });
    await bench.stop(satchel);
    await bench.stop(nginx);
}
