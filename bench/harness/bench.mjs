// What every row's measurement is given: programs, folders, files, rounds, and where results go.
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

import { makeRow } from './figures.mjs';
import { Load } from './load.mjs';
import { Failure } from './machine.mjs';
import { Nginx } from './nginx.mjs';
import { Satchel } from './satchel.mjs';

export const KiB = 1024;
export const MiB = 1024 * KiB;

const fileSets = { small: [64, 100 * KiB], medium: [16, MiB], large: [2, 100 * MiB] };

export class Bench {
    constructor({ satchel, load, work, rounds, full, ephemeralCount }) {
        this.satchelProgram = satchel;
        this.loadProgram = load;
        this.rounds = rounds;
        this.full = full;
        this.ephemeralCount = ephemeralCount;
        this.work = work;
        this.rows = [];
        this.leftOut = [];
        this.running = [];
        fs.rmSync(work, { recursive: true, force: true });
        fs.mkdirSync(path.join(work, 'files'), { recursive: true });
        this.load = new Load(load, path.join(work, 'load'));
        this.tls = this.makeCertificate();
        this.filesMade = {};
    }

    makeCertificate() {
        const key = path.join(this.work, 'key.pem');
        const cert = path.join(this.work, 'cert.pem');
        execFileSync('openssl', [
            'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
            '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1',
            '-keyout', key, '-out', cert,
        ], { stdio: 'ignore' });
        return { cert, key };
    }

    // Files of random bytes under a JPEG's first bytes; written once, page cache hot.
    files(set) {
        if (!this.filesMade[set]) {
            const [count, size] = fileSets[set];
            this.filesMade[set] = Array.from({ length: count }, (_, i) => {
                const file = path.join(this.work, 'files', `${set}-${i}`);
                const bytes = crypto.randomBytes(size);
                bytes.set([0xff, 0xd8, 0xff, 0xe0]);
                fs.writeFileSync(file, bytes);
                return file;
            });
        }
        return this.filesMade[set];
    }

    folder(name) {
        return path.join(this.work, name);
    }

    async startSatchel(name, { tls = false, settings, args, cores } = {}) {
        const server = new Satchel(
            this.satchelProgram, this.folder(name), tls ? this.tls : undefined, settings, args,
            cores);
        return this.keep(await server.start());
    }

    async startNginx(answer) {
        const folder = this.folder(`nginx-${this.running.length}`);
        return this.keep(await new Nginx(folder, this.folder('files'), this.tls, answer).start());
    }

    keep(server) {
        this.running.push(server);
        return server;
    }

    // Stops the server and fails if it did not end as it should.
    async stop(server) {
        this.running = this.running.filter((each) => each !== server);
        await server.stop();
    }

    async stopAll() {
        for (const server of this.running.splice(0)) {
            await server.stop().catch((error) => this.say(error.message));
        }
    }

    // Runs `measure(round)` once unmeasured and then for each round; returns the rounds' values.
    async interleave(label, measure, { warmUp = true } = {}) {
        const values = [];
        for (let round = warmUp ? -1 : 0; round < this.rounds; ++round) {
            this.say(`${label}: ${round < 0 ? 'warm-up' : `round ${round + 1} of ${this.rounds}`}`);
            const value = await measure(round);
            if (round >= 0) values.push(value);
        }
        return values;
    }

    add(row) {
        const made = makeRow(row);
        this.rows.push(made);
        const ratio = made.ratio ? `, ratio ${made.ratio.median.toFixed(2)}` : '';
        const verdict = made.met === undefined ? '' : made.met ? ' met' : ' SHORT';
        this.say(`  ${made.work}: ${made.satchel.median.toPrecision(3)} ${made.unit}${ratio}${verdict}`);
    }

    leave(what) {
        this.leftOut.push(what);
    }

    say(line) {
        process.stderr.write(`${line}\n`);
    }

    check(holds, message) {
        if (!holds) throw new Failure(message);
    }
}
