// One Satchel under test: `satchel serve`, one loop, its log off the disk.
import fs from 'node:fs';
import path from 'node:path';

import { ask, Failure, freePort, serverCore, sleep, spawnOn, stop } from './machine.mjs';

// Nothing reads in the background while something else is measured.
const unscrubbed = '[integrity]\nscrub_mib_per_second = 0\n';
const adminToken = 'benchmark-admin-token';

export class Satchel {
    // Everything it stores stands in `folder`, which outlives it. `tls`: { cert, key };
    // `settings`: more lines for its configuration file; `args`: more of its command line;
    // `cores`: those that it may use, as taskset writes them.
    constructor(program, folder, tls, settings = '', args = [], cores = serverCore) {
        this.program = program;
        this.folder = folder;
        this.tls = tls;
        this.settings = settings;
        this.args = args;
        this.cores = cores;
    }

    async prepare() {
        fs.mkdirSync(this.folder, { recursive: true });
        this.port = await freePort();
        this.adminPort = await freePort();
        const at = (name) => JSON.stringify(path.join(this.folder, name));
        const tls = this.tls
            ? `tls_cert = ${JSON.stringify(this.tls.cert)}\ntls_key = ${JSON.stringify(this.tls.key)}\n`
            : '';
        const masterKey = path.join(this.folder, 'master.key');
        fs.writeFileSync(
            path.join(this.folder, 'satchel.toml'),
            `[server]\nlisten = "127.0.0.1:${this.port}"\nthreads = 1\n` +
                `messages_per_minute = 0\n${tls}` +
                `[admin]\nlisten = "127.0.0.1:${this.adminPort}"\ntoken = "${adminToken}"\n` +
                `[metadata]\nsqlite = ${at('satchel.db')}\n[blobs]\nlocal = ${at('blobs')}\n` +
                `[encryption]\nmaster_key_file = ${JSON.stringify(masterKey)}\n` +
                '[fetch]\nallow_http = true\nallow_private_addresses = true\n' +
                `[log]\nlevel = "warn"\n${this.settings}${
                    this.settings.includes('[integrity]') ? '' : unscrubbed}`,
        );
    }

    spawn() {
        const log = fs.openSync(path.join(this.folder, 'satchel.log'), 'a');
        this.child = spawnOn(
            this.cores,
            this.program,
            ['serve', '--config', path.join(this.folder, 'satchel.toml'), ...this.args],
            { stdio: ['ignore', log, log], env: environmentWithoutSettings() },
        );
        fs.closeSync(log);
    }

    async start() {
        await this.prepare();
        this.spawn();
        await this.answers();
        return this;
    }

    async answers() {
        try {
            const deadline = Date.now() + 60_000;
            for (;;) {
                if (this.child.exitCode !== null) throw new Failure('satchel ended before it answered');
                const status = await ask(`${this.origin}/readyz`).then((r) => r.status, () => 0);
                if (status === 200) return;
                if (Date.now() > deadline) throw new Failure('satchel does not get ready');
                await sleep(1);
            }
        } catch (error) {
            this.child.kill('SIGKILL');
            throw new Failure(`${error.message}; its log ends with:\n${this.logEnd()}`);
        }
    }

    async stop() {
        await stop(this.child, 'SIGTERM', 'satchel');
    }

    logEnd() {
        const lines = fs.readFileSync(path.join(this.folder, 'satchel.log'), 'utf8').split('\n');
        return lines.slice(-10).join('\n');
    }

    get pid() {
        return this.child.pid;
    }
    get target() {
        return `127.0.0.1:${this.port}`;
    }
    get origin() {
        return `${this.tls ? 'https' : 'http'}://${this.target}`;
    }

    // A call of the admin API that must succeed; its JSON.
    async admin(method, path, body, options = {}) {
        const answer = await ask(`http://127.0.0.1:${this.adminPort}/admin/v1${path}`, {
            method,
            headers: { Authorization: `Bearer ${adminToken}`, 'Content-Type': 'application/json' },
            body: body && JSON.stringify(body),
            ...options,
        });
        if (answer.status >= 300) {
            throw new Failure(`${method} ${path}: ${answer.status} ${answer.text}`);
        }
        return JSON.parse(answer.text);
    }

    // The API key of a new partner.
    async addPartner() {
        return (await this.admin('POST', '/partners', { name: 'benchmark' })).api_key;
    }

    // A new partner with a line to send from: { key, line }.
    async addSender() {
        const line = '+15550100001';
        const partner = await this.admin('POST', '/partners', { name: 'benchmark' });
        await this.admin('POST', `/partners/${partner.partner_id}/lines`, { number: line });
        return { key: partner.api_key, line };
    }

    // A call of the public API; its JSON if it was answered with `status`, else a failure.
    async call(key, method, path, { body, status = 200 } = {}) {
        const answer = await ask(`${this.origin}/v3${path}`, {
            method,
            headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
            body: body && JSON.stringify(body),
        });
        if (answer.status !== status) {
            throw new Failure(`${method} ${path}: ${answer.status} ${answer.text}`);
        }
        return answer.text && JSON.parse(answer.text);
    }

    async metric(name) {
        const page = await ask(`http://127.0.0.1:${this.adminPort}/metrics`, {
            headers: { Authorization: `Bearer ${adminToken}` },
        });
        const line = page.text.split('\n').find((each) => each.split(/[ {]/)[0] === name);
        if (!line) throw new Failure(`/metrics has no ${name}`);
        return Number(line.slice(line.lastIndexOf(' ')));
    }

    // Attachments that are asked for but not uploaded: [{ id, uploadUrl, downloadUrl }].
    async create(load, key, size, count) {
        const save = load.file('created');
        await load.run({
            mode: 'post', target: this.target, tls: Boolean(this.tls), token: key, size, count,
            connections: Math.min(64, count), save,
        });
        return fs.readFileSync(save, 'utf8').trim().split('\n').map((line) => {
            const [id, uploadUrl, downloadUrl] = line.split('\t');
            return { id, uploadUrl, downloadUrl };
        });
    }

    // Uploads each file; returns [{ id, path, file }] to fetch them by.
    async upload(load, key, files) {
        const uploaded = [];
        for (const [size, same] of groupBy(files, (file) => fs.statSync(file).size)) {
            const created = await this.create(load, key, size, same.length);
            const lines = created.map((each, i) => [each.uploadUrl, same[i]]);
            await load.run({
                mode: 'put', target: this.target, tls: Boolean(this.tls), list: load.list(lines),
                connections: Math.min(4, same.length),
            });
            created.forEach((each, i) => uploaded.push({
                id: each.id, path: new URL(each.downloadUrl).pathname, file: same[i],
            }));
        }
        return uploaded;
    }
}

// Settings in this program's environment would win over the file.
function environmentWithoutSettings() {
    return Object.fromEntries(
        Object.entries(process.env).filter(([name]) => !name.startsWith('SATCHEL_')));
}

function groupBy(items, key) {
    const groups = new Map();
    for (const item of items) {
        groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
    }
    return groups;
}
