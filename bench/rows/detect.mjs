// How long it takes to see what a file is, beside `file`.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

import { serverCore } from '../harness/machine.mjs';

const runs = 200;
const samples = new URL('../../tests/data/media/', import.meta.url).pathname;

export async function run(bench) {
    const program = path.join(path.dirname(bench.loadProgram), 'satchel_detect_bench');
    const files = fs.readdirSync(samples).map((name) => path.join(samples, name));
    const rounds = await bench.interleave('detection', async () => {
        const ours = JSON.parse(onServerCore(program, String(runs)));
        const began = process.hrtime.bigint();
        onServerCore('file', '--brief', '--mime-type', ...files);
        const theirs = Number(process.hrtime.bigint() - began) / 1e3 / files.length;
        return { ours, theirs };
    });
    const column = (name) => rounds.map(({ ours }) => ours[name]);
    const [{ ours }] = rounds;
    bench.add({
        work: `What a file is, by its bytes: median of ${ours.files} files`, unit: 'µs',
        ours: column('median_us'), theirs: rounds.map(({ theirs }) => theirs),
        peer: '`file`, mean of the same, start included', aim: { max: 100 },
    });
    bench.add({
        work: `What a file is, by its bytes: p99 of ${runs} looks at each`, unit: 'µs',
        ours: column('p99_us'), note: `slowest: ${ours.slowest}, ${ours.slowest_median_us} µs`,
    });
}

function onServerCore(...words) {
    return execFileSync('taskset', ['-c', String(serverCore), ...words], { encoding: 'utf8' });
}
