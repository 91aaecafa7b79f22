// What is delivered in place of an upload, beside the command that makes the same.
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

import { serverCore, treeCpuSeconds } from '../harness/machine.mjs';

const settings = '[media]\npreviews = true\n';
const smallSends = 20;
const conversionsAtOnce = 10;

export async function run(bench) {
    const satchel = await bench.startSatchel('store-media', { settings });
    const media = await MediaBench.open(bench, satchel);
    await media.tiff();
    await media.caf();
    await media.preview();
    await media.beside();
    await bench.stop(satchel);
}

class MediaBench {
    static async open(bench, satchel) {
        const self = new MediaBench();
        Object.assign(self, { bench, satchel, ...(await satchel.addSender()), people: 0 });
        return self;
    }

    file(name) {
        return path.join(this.bench.work, 'files', name);
    }

    // A picture of 4000 x 3000 pixels with soft colours and some grain.
    picture(name) {
        const file = this.file(name);
        if (!fs.existsSync(file)) {
            const source = 'gradients=s=4000x3000:c0=0x204080:c1=0xe0c060:seed=1,noise=alls=12:allf=u';
            ffmpeg(['-f', 'lavfi', '-i', source, '-frames:v', '1', '-pix_fmt', 'rgb24',
                '-compression_algo', 'raw', this.file('12mpx.tif')]);
            if (name !== '12mpx.tif') {
                execFileSync('vips', ['copy', this.file('12mpx.tif'), `${file}[Q=85]`]);
            }
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

    // A message to somebody new; its part.
    async send(id) {
        this.people += 1;
        const { chat } = await this.satchel.call(this.key, 'POST', '/chats', {
            status: 201,
            body: {
                from: this.line, to: [`+1202${String(100_000 + this.people)}2`],
                message: { parts: [{ type: 'media', attachment_id: id }] },
            },
        });
        return chat.message.parts[0];
    }

    async sendAs(id, type) {
        const part = await this.send(id);
        this.bench.check(part.mime_type === type, `delivered as ${part.mime_type}, not ${type}`);
    }

    // Seconds of wall and CPU, children included.
    async measure(work) {
        const cpu = treeCpuSeconds(this.satchel.pid);
        const began = process.hrtime.bigint();
        await work();
        const wall = Number(process.hrtime.bigint() - began) / 1e9;
        return { wall, cpu: treeCpuSeconds(this.satchel.pid) - cpu };
    }

    async tiff() {
        const file = this.picture('12mpx.tif');
        const rounds = await this.bench.interleave('TIFF to JPEG', async () => {
            const id = await this.upload(file, 'image/tiff');
            const ours = await this.measure(() => this.sendAs(id, 'image/jpeg'));
            return { ours, theirs: timed('vips', ['copy', file, this.file('peer.jpg[Q=85]')]) };
        });
        add(this.bench, rounds, 'First send of a 12 Mpx TIFF (36 MB), delivered as JPEG', 's',
            'cpu', '`vips copy` to JPEG');
        add(this.bench, rounds, 'First send of a 12 Mpx TIFF (36 MB), delivered as JPEG', 's',
            'wall', '`vips copy` to JPEG');

        const converted = await this.upload(file, 'image/tiff');
        const plain = await this.upload(this.picture('12mpx.jpg'), 'image/jpeg');
        await this.sendAs(converted, 'image/jpeg');
        const again = await this.bench.interleave('second send', async () => ({
            ours: await this.measure(() => this.sendMany(converted)),
            theirs: await this.measure(() => this.sendMany(plain)),
        }));
        this.bench.add({
            work: 'Send of a TIFF that was converted before', unit: 'ms',
            ours: again.map(({ ours }) => (ours.wall / smallSends) * 1000),
            theirs: again.map(({ theirs }) => (theirs.wall / smallSends) * 1000),
            peer: 'send of a JPEG', aim: { ratio_max: 1.5 },
        });
    }

    async sendMany(id) {
        for (let i = 0; i < smallSends; ++i) await this.sendAs(id, 'image/jpeg');
    }

    async caf() {
        const file = this.file('60s.caf');
        ffmpeg(['-f', 'lavfi', '-i', 'sine=frequency=440:duration=60:sample_rate=44100',
            '-c:a', 'pcm_s16be', file]);
        const rounds = await this.bench.interleave('CAF to M4A', async () => {
            const id = await this.upload(file, 'audio/x-caf');
            const ours = await this.measure(() => this.sendAs(id, 'audio/mp4'));
            const words = ['-nostdin', '-v', 'error', '-y', '-i', file, '-c:a', 'aac'];
            return { ours, theirs: timed('ffmpeg', [...words, this.file('peer.m4a')]) };
        });
        add(this.bench, rounds, 'First send of a CAF of 60 s, delivered as M4A', 's', 'wall', '`ffmpeg`');
        add(this.bench, rounds, 'First send of a CAF of 60 s, delivered as M4A', 's', 'cpu', '`ffmpeg`');
    }

    async preview() {
        const file = this.picture('12mpx.jpg');
        const small = this.file('peer-small.jpg');
        const rounds = await this.bench.interleave('preview', async () => {
            const id = await this.upload(file, 'image/jpeg');
            const ours = await this.measure(() => this.fetchPreview(id));
            return { ours, theirs: timed('vips', ['thumbnail', file, `${small}[Q=80]`, '320']) };
        });
        add(this.bench, rounds, 'First preview of a 12 Mpx JPEG, 320 pixels wide', 's', 'wall',
            '`vips thumbnail`');
    }

    async fetchPreview(id) {
        const url = `${this.satchel.origin}/v3/attachments/${id}/preview?width=320`;
        const answer = await fetch(url, { headers: { Authorization: `Bearer ${this.key}` } });
        const bytes = Buffer.from(await answer.arrayBuffer());
        this.bench.check(answer.status === 200 && bytes.readUInt16BE(0) === 0xffd8, 'no preview');
    }

    // Small requests while pictures are converted, beside the same at rest.
    async beside() {
        const file = this.picture('12mpx.tif');
        const { bench, satchel } = this;
        const asked = await this.upload(file, 'image/tiff');
        const job = {
            mode: 'api-get', target: satchel.target, token: this.key, connections: 4, seconds: 2,
            list: bench.load.list([[asked]]),
        };
        const rounds = await bench.interleave('API beside conversions', async () => {
            const [rest] = await bench.load.run(job);
            const ids = [];
            for (let i = 0; i < conversionsAtOnce; ++i) {
                ids.push(await this.upload(file, 'image/tiff'));
            }
            const sends = Promise.all(ids.map((id) => this.sendAs(id, 'image/jpeg')));
            const [busy] = await bench.load.run(job);
            await sends;
            return { rest, busy };
        });
        bench.add({
            work: `GET /v3/attachments/{id} while ${conversionsAtOnce} TIFFs are converted, p99`,
            unit: 'ms', ours: rounds.map(({ busy }) => busy.p99_ms),
            theirs: rounds.map(({ rest }) => rest.p99_ms), peer: 'the same at rest',
            note: 'conversions on the same core',
        });
    }
}

function ffmpeg(words) {
    execFileSync('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...words]);
}

function add(bench, rounds, work, unit, name, peer) {
    const column = (who) => rounds.map((round) => round[who][name]);
    bench.add({
        work: `${work}, ${name === 'cpu' ? 'CPU' : 'wall'}`, unit, ours: column('ours'),
        theirs: column('theirs'), peer,
    });
}

// A command on the server's core: seconds of wall and CPU.
function timed(program, words) {
    const script = 'TIMEFORMAT="%R %U %S"; time taskset -c "$0" "$@"';
    const ran = spawnSync('bash', ['-c', script, String(serverCore), program, ...words], {
        encoding: 'utf8',
    });
    const [wall, user, system] = ran.stderr.trim().split('\n').at(-1).split(' ').map(Number);
    if (ran.status !== 0 || Number.isNaN(system)) throw new Error(`${program}: ${ran.stderr}`);
    return { wall, cpu: user + system };
}
