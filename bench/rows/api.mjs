// The JSON calls: POST, GET and DELETE of attachments.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';

import { KiB, MiB } from '../harness/bench.mjs';
import { measure } from '../harness/load.mjs';
import { ask } from '../harness/machine.mjs';

const idsKept = 2000;
const deletesPerRound = 2000;
const deletesPerSecond = 4000;

export const post = (bench) => withStore(bench, postRow);
export const get = (bench) => withStore(bench, getRow);
export const remove = (bench) => withStore(bench, removeRow);

async function withStore(bench, row) {
    const satchel = await bench.startSatchel(`store-${row.name}`);
    const key = await satchel.addPartner();
    await row(bench, satchel, { target: satchel.target, token: key });
    await bench.stop(satchel);
}

async function postRow(bench, satchel, to) {
    const seconds = bench.full ? 4 : 2;
    const job = { mode: 'post', ...to, size: MiB, connections: 64, seconds };
    const rounds = await bench.interleave('POST /v3/attachments', async () => {
        const commits = await satchel.metric('satchel_commits_total');
        const writes = await satchel.metric('satchel_commit_writes_total');
        const result = await measure(satchel, bench.load, job);
        return {
            ...result,
            writes_per_commit: ((await satchel.metric('satchel_commit_writes_total')) - writes) /
                ((await satchel.metric('satchel_commits_total')) - commits),
        };
    });
    const work = 'POST /v3/attachments, durable, 64 connections';
    const column = (name) => rounds.map((round) => round[name]);
    bench.add({ work, unit: '/s', ours: column('turns_per_second'), aim: { min: 10_000 } });
    bench.add({ work: `${work}, p99`, unit: 'ms', ours: column('p99_ms'), aim: { max: 15 } });
    bench.add({ work, unit: 'CPU µs', ours: column('cpu_us_per_turn') });
    bench.add({ work: `${work}: writes per commit (one fsync)`, unit: '',
        ours: column('writes_per_commit') });
}

async function getRow(bench, satchel, to) {
    const created = await satchel.create(bench.load, to.token, MiB, idsKept);
    const sample = await ask(`${satchel.origin}/v3/attachments/${created[0].id}`, {
        headers: { Authorization: `Bearer ${to.token}` },
    });
    bench.check(sample.status === 200, `GET of an attachment: ${sample.status} ${sample.text}`);
    const nginx = await bench.startNginx(sample.text);
    const answer = bench.load.file('answer');
    fs.writeFileSync(answer, sample.text);
    const job = { connections: 32, seconds: bench.full ? 3 : 1.5 };
    const ours = { ...job, mode: 'api-get', ...to, list: bench.load.list(created.map((c) => [c.id])) };
    const theirs = {
        ...job, mode: 'get', target: nginx.target('sendfile'),
        list: bench.load.list([['/answer', answer]]),
    };
    const rounds = await bench.interleave('GET /v3/attachments/{id}', async () => ({
        satchel: await measure(satchel, bench.load, ours),
        nginx: await measure(nginx, bench.load, theirs),
    }));
    const column = (who, name) => rounds.map((round) => round[who][name]);
    const work = 'GET /v3/attachments/{id}';
    const peer = 'nginx `return 200`, same body';
    bench.add({
        work, unit: '/s', ours: column('satchel', 'turns_per_second'),
        theirs: column('nginx', 'turns_per_second'), peer, aim: { min: 25_000 },
    });
    bench.add({
        work, unit: 'CPU µs', ours: column('satchel', 'cpu_us_per_turn'),
        theirs: column('nginx', 'cpu_us_per_turn'), peer, aim: { ratio_max: 2.5 },
    });
    bench.add({
        work: `${work}, 32 connections, p99`, unit: 'ms', ours: column('satchel', 'p99_ms'),
        theirs: column('nginx', 'p99_ms'), peer,
    });
    await bench.stop(nginx);
}

async function removeRow(bench, satchel, to) {
    const [file] = bench.files('small');
    const size = fs.statSync(file).size;
    const uploaded = `uploaded, ${size / KiB} KiB`;
    await removals(bench, satchel, to, { note: 'not uploaded yet', size: MiB });
    await removals(bench, satchel, to, { note: uploaded, size, file });
    await removals(bench, satchel, to, {
        note: `${uploaded}; ${deletesPerSecond.toLocaleString('en')}/s asked for`, size, file,
        pace: deletesPerSecond,
    });
}

async function removals(bench, satchel, to, { note, size, file, pace }) {
    const rounds = await bench.interleave(`DELETE /v3/attachments/{id}, ${note}`, async () => {
        const created = await satchel.create(bench.load, to.token, size, deletesPerRound);
        if (file) {
            await bench.load.run({
                mode: 'put', target: to.target, connections: 64,
                list: bench.load.list(created.map((each) => [each.uploadUrl, file])),
            });
            execFileSync('sync'); // What the uploads left to be written is not the deletes' to wait for.
        }
        return measure(satchel, bench.load, {
            mode: 'delete', ...to, connections: 64, 'per-second': pace,
            list: bench.load.list(created.map((each) => [each.id])),
        });
    });
    const column = (name) => rounds.map((round) => round[name]);
    const work = 'DELETE /v3/attachments/{id}, durable, 64 connections';
    bench.add({ work, note, unit: '/s', ours: column('turns_per_second'), aim: { min: 3000 } });
    bench.add({ work, note, unit: 'CPU µs', ours: column('cpu_us_per_turn') });
    bench.add({ work: `${work}, p99`, note, unit: 'ms', ours: column('p99_ms'), aim: { max: 10 } });
}
