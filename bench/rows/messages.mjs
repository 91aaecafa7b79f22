// Sends with a pre-uploaded attachment, and what listing a chat costs in a small and a large store.
import { Chats } from '../harness/chats.mjs';
import { measure } from '../harness/load.mjs';
import { cpuSeconds } from '../harness/machine.mjs';

const connections = 64;
const chatsToSend = 2000;
const listsPerRound = 2000;

export async function send(bench) {
    const satchel = await bench.startSatchel('store-send');
    const chats = await Chats.open(bench, satchel, chatsToSend);
    const job = { connections, seconds: bench.full ? 4 : 2 };
    const rounds = await bench.interleave('POST /v3/chats/{id}/messages', async () => {
        const first = chats.acknowledged.length;
        const cpu = cpuSeconds(satchel.pid);
        const result = await chats.send(job);
        await chats.delivered();
        const cpu_us = ((cpuSeconds(satchel.pid) - cpu) / result.turns) * 1e6;
        return { ...result, first, cpu_us };
    });
    bench.say(`  looking for ${chats.acknowledged.length} messages in the lists of their chats`);
    const times = await chats.times();
    await bench.stop(satchel);

    const work = `POST of a message with an attachment, durable, ${connections} connections`;
    const note = 'the sandbox delivers meanwhile';
    const column = (name) => rounds.map((round) => round[name]);
    bench.add({ work, note, unit: '/s', ours: column('turns_per_second'), aim: { min: 5000 } });
    bench.add({ work: `${work}, p99`, note, unit: 'ms', ours: column('p99_ms'), aim: { max: 15 } });
    bench.add({ work, note: 'delivery included', unit: 'CPU µs', ours: column('cpu_us') });
    const delivery = rounds.map(({ first, turns }) => delivered(times.slice(first, first + turns)));
    const told = (name) => delivery.map((round) => round[name]);
    bench.add({ work: `${work}: first made to last delivered`, unit: '/s', ours: told('per_second') });
    bench.add({ work: `${work}: made to delivered, p99`, unit: 'ms', ours: told('p99_ms') });
    bench.add({
        work: `${work}: not delivered yet when the last was made`, unit: '', ours: told('behind'),
    });
}

// By what the messages themselves say.
function delivered(times) {
    const made = times.map((each) => each.made).sort((a, b) => a - b);
    const ended = times.map((each) => each.delivered).sort((a, b) => a - b);
    const waits = times.map((each) => each.delivered - each.made).sort((a, b) => a - b);
    const lastMade = made[made.length - 1];
    return {
        per_second: times.length / ((ended[ended.length - 1] - made[0]) / 1000),
        p99_ms: waits[Math.round(0.99 * (waits.length - 1))],
        behind: ended.filter((at) => at > lastMade).length,
    };
}

// The large store has ten times the chats, too: what a page shows lies further apart.
export async function list(bench) {
    const sizes = [
        { name: 'store-list-small', messages: 10_000, chats: 200 },
        { name: 'store-list-large', messages: bench.full ? 1_000_000 : 100_000, chats: 2000 },
    ];
    if (!bench.full) bench.leave('lists: 100,000 messages instead of 1,000,000');
    const stores = [];
    for (const size of sizes) stores.push(await fill(bench, size));
    const rounds = await bench.interleave('GET /v3/chats/{id}/messages', async () => {
        const costs = [];
        for (const { satchel, job } of stores) costs.push(await measure(satchel, bench.load, job));
        return costs;
    });
    for (const { satchel } of stores) await bench.stop(satchel);
    const [small, large] = sizes.map(({ messages }) => messages.toLocaleString('en-US'));
    const compared = (name) => ({
        ours: rounds.map(([, inLarge]) => inLarge[name]),
        theirs: rounds.map(([inSmall]) => inSmall[name]),
        peer: `satchel with ${small}`,
    });
    const work = `GET of a chat's newest 50 messages, ${large} stored`;
    bench.add({ work, unit: 'CPU µs', ...compared('cpu_us_per_turn'), aim: { ratio_max: 1.5 } });
    bench.add({ work, unit: '/s', ...compared('turns_per_second') });
    bench.add({ work: `${work}, 32 connections, p99`, unit: 'ms', ...compared('p99_ms') });
}

async function fill(bench, { name, messages, chats: count }) {
    bench.say(`lists: filling ${name} with ${messages.toLocaleString('en-US')} messages`);
    const satchel = await bench.startSatchel(name);
    const chats = await Chats.open(bench, satchel, count);
    const text = 'Look at this picture, it came out rather well';
    const { turns_per_second } = await chats.send({ connections, count: messages, text });
    await chats.delivered();
    bench.say(`  ${Math.round(turns_per_second)} /s`);
    const job = {
        mode: 'list', target: satchel.target, token: chats.key, connections: 32,
        count: listsPerRound, list: bench.load.list(chats.ids.map((id) => [id, 50])),
    };
    return { satchel, job };
}
