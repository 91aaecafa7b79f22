// Webhooks: how fast they leave for a receiver that takes them, and what they cost in memory while
// it does not.
import { once } from 'node:events';
import net from 'node:net';

import { Chats } from '../harness/chats.mjs';
import { cpuSeconds, freePort, residentMiB, sleep } from '../harness/machine.mjs';
import { Receiver } from '../harness/receiver.mjs';

const connections = 64;
const chatCount = 2000;
const events = ['message.sent', 'message.delivered'];  // One each for every message.
const waitingFirst = 10_000;
const waitingMost = 100_000;  // As far as the server counts them.
const settleWaitMs = 60_000;

export async function deliver(bench) {
    const satchel = await bench.startSatchel('store-webhooks');
    const chats = await Chats.open(bench, satchel, chatCount);
    const receiver = await Receiver.start();
    receiver.secret = await subscribe(satchel, chats.key, receiver.url);
    const messages = bench.full ? 20_000 : 5000;
    const store = { satchel, chats, receiver, messages };
    const rounds = await bench.interleave('webhooks', async () => ({
        waiting: await drain(bench, store),
        live: await keepUp(bench, store),
    }));
    await receiver.stop();
    await bench.stop(satchel);

    const column = (who, name) => rounds.map((round) => round[who][name]);
    const count = (messages * events.length).toLocaleString('en-US');
    const work = `Webhooks to one receiver, ${count} waiting`;
    const busy = Math.round(Math.max(...column('waiting', 'receiver_share')) * 100);
    bench.add({
        work, note: `the receiver used at most ${busy} % of its core`, unit: '/s',
        ours: column('waiting', 'per_second'), aim: { min: 3000 },
    });
    bench.add({ work, unit: 'CPU µs', ours: column('waiting', 'cpu_us') });
    bench.add({
        work: 'Webhooks while messages are sent, first message to last webhook', unit: '/s',
        ours: column('live', 'per_second'),
    });
    bench.add({
        work: 'Webhooks while messages are sent: the last comes after the last answer', unit: 's',
        ours: column('live', 'seconds_behind'),
    });
}

async function subscribe(satchel, key, url) {
    const body = { target_url: url, subscribed_events: events };
    const made = await satchel.call(key, 'POST', '/webhook-subscriptions', { body, status: 201 });
    return made.signing_secret;
}

// The receiver keeps the first requests waiting until every message is delivered, so that nothing
// but webhooks is left to do when it begins to answer.
async function drain(bench, { satchel, chats, receiver, messages }) {
    const count = messages * events.length;
    receiver.forget();
    receiver.hold();
    await chats.send({ connections, count: messages });
    await chats.delivered();
    const cpu = cpuSeconds(satchel.pid);
    const ownCpu = process.cpuUsage();
    const started = performance.now();
    receiver.release();
    await receiver.arrived(count);
    const seconds = (receiver.lastAt - started) / 1000;
    const own = process.cpuUsage(ownCpu);
    await settled(bench, satchel);
    return {
        per_second: count / seconds,
        cpu_us: ((cpuSeconds(satchel.pid) - cpu) / count) * 1e6,
        receiver_share: (own.user + own.system) / 1e6 / seconds,
    };
}

async function keepUp(bench, { satchel, chats, receiver, messages }) {
    receiver.forget();
    const result = await chats.send({ connections, count: messages });
    const answered = performance.now();
    await receiver.arrived(messages * events.length);
    const behind = (receiver.lastAt - answered) / 1000;
    await settled(bench, satchel);
    return {
        per_second: (messages * events.length) / (result.seconds + behind),
        seconds_behind: behind,
    };
}

async function waitingWebhooks(satchel) {
    return (await satchel.admin('GET', '/stats')).queues.webhooks_waiting;
}

// What arrived is written down, too.
async function settled(bench, satchel) {
    const deadline = Date.now() + settleWaitMs;
    while ((await waitingWebhooks(satchel)) > 0) {
        bench.check(Date.now() < deadline, 'webhooks that arrived still wait');
        await sleep(5);
    }
}

export async function memory(bench) {
    const refusing = `http://127.0.0.1:${await freePort()}/hook`;
    await waitingRow(bench, 'store-webhooks-refused', refusing, 'refuses connections');
    const silent = await listenSilently();
    await waitingRow(bench, 'store-webhooks-silent', silent.url, 'accepts and never answers');
    silent.close();
}

// Resident set with a tenth of the webhooks waiting and with all; before that, with as many
// messages sent while nothing was subscribed.
async function waitingRow(bench, name, url, kind) {
    bench.say(`memory: webhooks wait for a receiver that ${kind}`);
    const satchel = await bench.startSatchel(name);
    const chats = await Chats.open(bench, satchel, chatCount);
    const rest = waitingMost - waitingFirst;
    const before = await residentAfter(chats, waitingFirst);
    await subscribe(satchel, chats.key, url);
    const first = await residentAfter(chats, waitingFirst);
    const all = await residentAfter(chats, rest, () => attempted(bench, satchel));
    const found = await waitingWebhooks(satchel);
    bench.check(found === waitingMost, `${found} webhooks wait, not ${waitingMost}`);
    bench.check((await satchel.metric('satchel_webhook_delivered_total')) === 0,
        'a dead receiver took a webhook');
    await bench.stop(satchel);
    const [few, most, more] = [waitingFirst, waitingMost, rest].map((n) => n.toLocaleString('en-US'));
    bench.add({
        work: `Memory, ${more} more webhooks waiting for a receiver that ${kind} add`,
        note: `one run; ${before.toFixed(1)} MiB before the subscription, ${first.toFixed(1)} with ` +
            `${few} waiting, ${all.toFixed(1)} with ${most}`,
        unit: 'MiB', ours: [all - first], aim: { max: 4 },
    });
}

async function residentAfter(chats, webhooks, until = () => {}) {
    await chats.send({ connections, count: webhooks / events.length });
    await chats.delivered();
    await until();
    await sleep(1000);
    return residentMiB(chats.satchel.pid);
}

// Returns when an attempt has failed: one that gets no answer takes its time.
async function attempted(bench, satchel) {
    const deadline = Date.now() + settleWaitMs;
    while ((await satchel.metric('satchel_webhook_attempts_total')) === 0) {
        bench.check(Date.now() < deadline, 'no webhook was tried');
        await sleep(100);
    }
}

async function listenSilently() {
    const sockets = new Set();
    const server = net.createServer((socket) => {
        sockets.add(socket);
        socket.on('error', () => {}).on('close', () => sockets.delete(socket)).resume();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return {
        url: `http://127.0.0.1:${server.address().port}/hook`,
        close() {
            server.close();
            for (const socket of sockets) socket.destroy();
        },
    };
}
