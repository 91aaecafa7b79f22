// Chats to send into, each with an attachment of its own, and what became of their messages.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

import { Failure, sleep } from './machine.mjs';

const askedAtOnce = 32;
const deliveryWaitMs = 120_000;

export class Chats {
    // A new partner of `satchel` with `count` chats, each begun by a message that is delivered, and
    // as many uploaded attachments of 4 KiB.
    static async open(bench, satchel, count) {
        const chats = new Chats(bench, satchel);
        const { key, line } = await satchel.addSender();
        chats.key = key;
        const begun = await inTurns(count, async (i) => {
            const message = { parts: [{ type: 'text', value: 'The first of this chat' }] };
            const body = { from: line, to: [recipient(i)], message };
            return (await satchel.call(key, 'POST', '/chats', { body, status: 201 })).chat;
        });
        chats.ids = begun.map((chat) => chat.id);
        await chats.delivered(begun.map((chat) => chat.message.id));
        chats.attachments = await chats.upload(count);
        chats.list = bench.load.list(chats.ids.map((id, i) => [id, chats.attachments[i]]));
        return chats;
    }

    constructor(bench, satchel) {
        this.bench = bench;
        this.satchel = satchel;
        this.acknowledged = [];  // Ids of messages, in the order of their answers.
    }

    async upload(count) {
        const body = path.join(this.bench.work, 'picture');
        const bytes = crypto.randomBytes(4096);
        bytes.set([0xff, 0xd8, 0xff, 0xe0]);
        fs.writeFileSync(body, bytes);
        const save = this.bench.load.file('uploaded');
        await this.bench.load.run({
            mode: 'upload', target: this.satchel.target, token: this.key, body, count,
            connections: Math.min(64, count), save, 'save-ids': true,
        });
        return lines(save);
    }

    // Sends with the job's options, chat after chat; the load's result.
    async send(job) {
        const save = this.bench.load.file('sent');
        const [result] = await this.bench.load.run({
            mode: 'send', target: this.satchel.target, token: this.key, list: this.list, save,
            ...job,
        });
        for (const id of lines(save)) this.acknowledged.push(id);
        return result;
    }

    async isDelivered(id) {
        const message = await this.satchel.call(this.key, 'GET', `/messages/${id}`);
        return message.delivery_status === 'delivered';
    }

    // Returns when all are delivered: in the order in which they were sent, but for the few hundred
    // that are under way at once.
    async delivered(messages = this.acknowledged) {
        const deadline = Date.now() + deliveryWaitMs;
        for (const id of messages.slice(-300)) {
            while (!(await this.isDelivered(id))) {
                if (Date.now() > deadline) throw new Failure(`message ${id} is not delivered`);
                await sleep(1);
            }
        }
    }

    // When each acknowledged message was made and delivered, in ms since 1970, in their order. Fails
    // unless the lists of the chats hold every one of them, delivered, once, and beside them only
    // the first of each chat.
    async times() {
        const listed = new Map();
        await inTurns(this.ids.length, async (i) => {
            for (let cursor = ''; cursor !== undefined;) {
                const page = await this.satchel.call(
                    this.key, 'GET', `/chats/${this.ids[i]}/messages?limit=100${cursor}`);
                for (const message of page.messages) {
                    if (listed.has(message.id)) throw new Failure(`${message.id} is listed twice`);
                    listed.set(message.id, timesOf(message, this.attachments[i]));
                }
                cursor = page.next_cursor
                    ? `&cursor=${encodeURIComponent(page.next_cursor)}` : undefined;
            }
        });
        const expected = this.acknowledged.length + this.ids.length;
        const missing = this.acknowledged.filter((id) => !listed.get(id)?.has_attachment);
        if (missing.length > 0 || listed.size !== expected) {
            throw new Failure(`${missing.length} acknowledged messages are not listed with their ` +
                `attachment; ${listed.size} are listed, not ${expected}`);
        }
        return this.acknowledged.map((id) => listed.get(id));
    }
}

function timesOf(message, attachment) {
    if (message.delivery_status !== 'delivered') {
        throw new Failure(`message ${message.id} is ${message.delivery_status}`);
    }
    return {
        made: Date.parse(message.created_at),
        delivered: Date.parse(message.delivered_at),
        has_attachment: message.parts[0].id === attachment,
    };
}

// None of them ends in the digits by which the sandbox gives a message another fate.
function recipient(i) {
    return `+1555${2_001_000 + i}`;
}

function lines(file) {
    const text = fs.readFileSync(file, 'utf8').trim();
    return text ? text.split('\n') : [];
}

// `work(i)` for each i below `count`, some at once; the values in order.
async function inTurns(count, work) {
    const values = new Array(count);
    let next = 0;
    const turn = async () => {
        while (next < count) {
            const i = next++;
            values[i] = await work(i);
        }
    };
    await Promise.all(Array.from({ length: askedAtOnce }, turn));
    return values;
}
