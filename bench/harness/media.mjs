// Files of known content, messages and previews that make a server convert them, and the commands
// that do the same.
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

import { serverCore, treeCpuSeconds } from './machine.mjs';

// Soft colours with some grain: what a camera's picture costs a codec, not what noise does.
const pictures = {
    '12mpx.tif': { size: '4000x3000' },
    '24mpx.tif': { size: '6000x4000' },
    '12mpx.jpg': { from: '12mpx.tif', make: (from, to) => vips('copy', from, `${to}[Q=85]`) },
    'small.jpg': { from: '12mpx.jpg', make: (from, to) => vips('thumbnail', from, `${to}[Q=85]`, '800') },
    '24mpx.jpg': { from: '24mpx.tif', make: (from, to) => vips('copy', from, `${to}[Q=85]`) },
    '24mpx.heic': {
        from: '24mpx.jpg',
        make: (from, to) => run('heif-enc', '-q', '50', '-p', 'preset=ultrafast', '-o', to, from),
    },
};

export class MediaBench {
    static async open(bench, satchel) {
        const self = new MediaBench();
        Object.assign(self, { bench, satchel, ...(await satchel.addSender()), people: 0 });
        return self;
    }

    file(name) {
        return path.join(this.bench.work, 'files', name);
    }

    // One of `pictures`, made when it is first asked for.
    picture(name) {
        const file = this.file(name);
        if (fs.existsSync(file)) return file;
        const { size, from, make } = pictures[name];
        if (from) {
            make(this.picture(from), file);
        } else {
            const source = `gradients=s=${size}:c0=0x204080:c1=0xe0c060:seed=1,noise=alls=12:allf=u`;
            ffmpeg('-f', 'lavfi', '-i', source, '-frames:v', '1', '-pix_fmt', 'rgb24',
                '-compression_algo', 'raw', file);
        }
        return file;
    }

    // A tone as plain samples.
    sound(name, seconds) {
        const file = this.file(name);
        if (!fs.existsSync(file)) {
            ffmpeg('-f', 'lavfi', '-i', `sine=frequency=440:duration=${seconds}:sample_rate=44100`,
                '-c:a', 'pcm_s16be', file);
        }
        return file;
    }

    // An attachment of its own with this file's bytes: its id.
    async upload(file, type) {
        const bytes = fs.readFileSync(file);
        const created = await this.satchel.call(this.key, 'POST', '/attachments', {
            body: { filename: path.basename(file), content_type: type, size_bytes: bytes.length },
        });
        const answer = await fetch(created.upload_url, {
            method: 'PUT', body: bytes, headers: { 'Content-Type': type },
        });
        this.bench.check(answer.status === 200, `PUT: ${answer.status}`);
        return created.attachment_id;
    }

    // A message to somebody new; its part must be of `type`.
    async sendAs(id, type) {
        this.people += 1;
        const { chat } = await this.satchel.call(this.key, 'POST', '/chats', {
            status: 201,
            body: {
                from: this.line, to: [`+1202${String(100_000 + this.people)}2`],
                message: { parts: [{ type: 'media', attachment_id: id }] },
            },
        });
        const { mime_type: delivered } = chat.message.parts[0];
        this.bench.check(delivered === type,
            `delivered as ${delivered}, not ${type}; the log ends with:\n${this.satchel.logEnd()}`);
    }

    async fetchPreview(id, width = 320) {
        const url = `${this.satchel.origin}/v3/attachments/${id}/preview?width=${width}`;
        const answer = await fetch(url, { headers: { Authorization: `Bearer ${this.key}` } });
        const bytes = Buffer.from(await answer.arrayBuffer());
        this.bench.check(answer.status === 200 && bytes.readUInt16BE(0) === 0xffd8, 'no preview');
    }

    // Seconds of wall and CPU, children included.
    async measure(work) {
        const cpu = treeCpuSeconds(this.satchel.pid);
        const began = process.hrtime.bigint();
        await work();
        const wall = Number(process.hrtime.bigint() - began) / 1e9;
        return { wall, cpu: treeCpuSeconds(this.satchel.pid) - cpu };
    }
}

function run(program, ...words) {
    execFileSync(program, words, { stdio: ['ignore', 'ignore', 'inherit'] });
}

function vips(...words) {
    run('vips', ...words);
}

function ffmpeg(...words) {
    run('ffmpeg', '-nostdin', '-v', 'error', '-y', ...words);
}

// A command on the server's core: seconds of wall and CPU.
export function timed(program, words) {
    const script = 'TIMEFORMAT="%R %U %S"; time taskset -c "$0" "$@"';
    const ran = spawnSync('bash', ['-c', script, String(serverCore), program, ...words], {
        encoding: 'utf8',
    });
    const [wall, user, system] = ran.stderr.trim().split('\n').at(-1).split(' ').map(Number);
    if (ran.status !== 0 || Number.isNaN(system)) throw new Error(`${program}: ${ran.stderr}`);
    return { wall, cpu: user + system };
}
