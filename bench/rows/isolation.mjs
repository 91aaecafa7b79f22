// Whether time tells another partner's attachment, a deleted one and one that never was apart.
import crypto from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';

import { MiB } from '../harness/bench.mjs';
import { spread } from '../harness/figures.mjs';
import { compare } from '../harness/statistics.mjs';

const idsOfAKind = 200;
const blocksPerRound = 2000;
const recipient = '+15551234562';

export async function run(bench) {
    const satchel = await bench.startSatchel('isolation');
    const world = await prepare(bench, satchel);
    const requests = requestsOf(satchel, world);
    for (const [work, make] of Object.entries(requests)) {
        const samples = { unknown: [], foreign: [], deleted: [] };
        const kinds = Object.keys(samples);
        const medians = Object.fromEntries(kinds.map((kind) => [kind, []]));
        const connection = await Connection.open(satchel.port);
        const rounds = await bench.interleave(`time of ${work}`, () => round(bench, connection, world.ids, make));
        connection.close();
        for (const taken of rounds) {
            for (const kind of kinds) {
                samples[kind].push(...taken[kind]);
                medians[kind].push(spread(taken[kind]).median);
            }
        }
        for (const kind of ['foreign', 'deleted']) {
            const { p, above } = compare(samples[kind], samples.unknown);
            bench.add({
                work: `${work} of a ${kind} id`, unit: 'µs', ours: medians[kind],
                theirs: medians.unknown, peer: 'an unknown id',
                note: `Mann-Whitney p = ${p.toPrecision(2)}, slower in ${(100 * above).toFixed(1)} % of pairs`,
            });
        }
    }
    await bench.stop(satchel);
}

// A caller with a chat, another partner with attachments, and what was deleted.
async function prepare(bench, satchel) {
    const caller = await satchel.addSender();
    const other = (await satchel.admin('POST', '/partners', { name: 'another' })).api_key;
    const { partners } = await satchel.admin('GET', '/partners');
    const { partner_id: partner } = partners.find(({ name }) => name === 'benchmark');
    const { chat } = await satchel.call(caller.key, 'POST', '/chats', {
        body: { from: caller.line, to: [recipient], message: { parts: [{ type: 'text', value: 'x' }] } },
        status: 201,
    });
    const create = async (key) =>
        (await satchel.create(bench.load, key, MiB, idsOfAKind)).map(({ id }) => id);
    const ids = {
        foreign: await create(other),
        deleted: await create(caller.key),
        unknown: Array.from({ length: idsOfAKind }, () => crypto.randomUUID()),
    };
    for (const id of ids.deleted) {
        await satchel.call(caller.key, 'DELETE', `/attachments/${id}`, { status: 204 });
    }
    return { ids, key: caller.key, chat: chat.id, partner };
}

function requestsOf(satchel, { key, chat, partner }) {
    const head = (method, path, more = '') =>
        `${method} ${path} HTTP/1.1\r\nHost: ${satchel.target}\r\n${more}\r\n`;
    const bearer = `Authorization: Bearer ${key}\r\n`;
    return {
        'GET /v3/attachments/{id}': (id) => head('GET', `/v3/attachments/${id}`, bearer),
        'DELETE /v3/attachments/{id}': (id) => head('DELETE', `/v3/attachments/${id}`, bearer),
        'a send with attachment_id': (id) => {
            const body = JSON.stringify({ message: { parts: [{ type: 'media', attachment_id: id }] } });
            return head('POST', `/v3/chats/${chat}/messages`,
                `${bearer}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`) + body;
        },
        'a download URL': (id) => head('GET', `/attachments/partners/${partner}/${id}/a.jpg`),
    };
}

function shuffled(items) {
    for (let i = items.length - 1; i > 0; --i) {
        const k = crypto.randomInt(i + 1);
        [items[i], items[k]] = [items[k], items[i]];
    }
    return items;
}

// One of each kind in turn, in an order that changes; microseconds by kind.
async function round(bench, connection, ids, make) {
    const taken = { unknown: [], foreign: [], deleted: [] };
    for (let block = 0; block < blocksPerRound; ++block) {
        const order = shuffled(Object.keys(taken));
        for (const kind of order) {
            const { status, microseconds } = await connection.ask(make(ids[kind][block % idsOfAKind]));
            bench.check(status === 404, `a ${kind} id was answered with ${status}`);
            taken[kind].push(microseconds);
        }
    }
    return taken;
}

// One keep-alive connection, one question at a time, timed from the first byte to the last.
class Connection {
    static async open(port) {
        const connection = new Connection();
        connection.socket = net.connect(port, '127.0.0.1').setNoDelay(true);
        await once(connection.socket, 'connect');
        connection.socket.on('data', (bytes) => connection.take(bytes));
        return connection;
    }

    take(bytes) {
        this.text += bytes.toString('latin1');
        const end = this.text.indexOf('\r\n\r\n');
        if (end < 0) return;
        const length = Number(/content-length: (\d+)/i.exec(this.text)?.[1] ?? 0);
        if (this.text.length < end + 4 + length) return;
        const microseconds = Number(process.hrtime.bigint() - this.began) / 1000;
        this.answered({ status: Number(this.text.slice(9, 12)), microseconds });
    }

    ask(request) {
        return new Promise((resolve, reject) => {
            this.text = '';
            this.answered = resolve;
            this.socket.once('error', reject);
            this.began = process.hrtime.bigint();
            this.socket.write(request);
        }).finally(() => this.socket.removeAllListeners('error'));
    }

    close() {
        this.socket.destroy();
    }
}
