// A receiver of webhooks in this program, so on the load's core: counts distinct events and
// verifies signatures (Standard Webhooks) of a sample.
import crypto from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';

import { Failure, sleep } from './machine.mjs';

const verifiedOneIn = 8;
const arrivalWaitMs = 120_000;
const clockSkewSeconds = 300;

export class Receiver {
    static async start() {
        const receiver = new Receiver();
        receiver.server = http.createServer((request, response) => {
            const parts = [];
            request.on('data', (part) => parts.push(part));
            request.on('end', () => receiver.take(request, Buffer.concat(parts), response));
        });
        receiver.server.listen(0, '127.0.0.1');
        await once(receiver.server, 'listening');
        return receiver;
    }

    constructor() {
        this.held = undefined;
        this.forget();
    }

    get url() {
        return `http://127.0.0.1:${this.server.address().port}/hook`;
    }

    forget() {
        this.events = new Set();
        this.deliveries = 0;
        this.verified = 0;
        this.wrong = undefined;
        this.lastAt = undefined;
    }

    set secret(secret) {
        this.key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
    }

    // From now on requests wait for their answer, until release().
    hold() {
        this.held = [];
    }

    release() {
        const held = this.held;
        this.held = undefined;
        for (const answer of held) answer();
    }

    take({ headers }, body, response) {
        const answer = () => {
            if (this.deliveries++ % verifiedOneIn === 0) this.verify(headers, body);
            this.events.add(headers['webhook-id']);
            this.lastAt = performance.now();
            response.writeHead(200, { 'Content-Length': '0' }).end();
        };
        if (this.held) this.held.push(answer);
        else answer();
    }

    verify(headers, body) {
        const id = headers['webhook-id'];
        const at = headers['webhook-timestamp'];
        const expected = crypto.createHmac('sha256', this.key)
            .update(`${id}.${at}.`).update(body).digest('base64');
        const isRight = headers['webhook-signature'] === `v1,${expected}` &&
            Math.abs(Date.now() / 1000 - Number(at)) < clockSkewSeconds &&
            JSON.parse(body).event_id === id;
        if (!isRight) this.wrong ??= `event ${id} is not signed as it should be`;
        ++this.verified;
    }

    // Returns when `count` different events have arrived; fails if more do, or fewer.
    async arrived(count) {
        const deadline = Date.now() + arrivalWaitMs;
        while (this.events.size < count && Date.now() < deadline) await sleep(5);
        if (this.wrong) throw new Failure(this.wrong);
        if (this.events.size !== count) {
            throw new Failure(`${this.events.size} different events arrived, not ${count}`);
        }
    }

    async stop() {
        this.server.closeAllConnections();
        this.server.close();
        await once(this.server, 'close');
    }
}
