// Processes held to a core, and what the kernel says about them.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';

export const serverCore = 0;
export const loadCore = 1;
export const bothCores = `${serverCore},${loadCore}`;

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

export class Failure extends Error {}

// This program does its own waiting and timing on the load's core.
export function pinSelf() {
    execFileSync('taskset', ['-p', '-c', String(loadCore), String(process.pid)]);
}

export function spawnOn(cores, command, args, options) {
    return spawn('taskset', ['-c', String(cores), command, ...args], options);
}

// Seconds on a CPU of every thread that the process has now.
export function cpuSeconds(pid) {
    let nanoseconds = 0;
    for (const thread of fs.readdirSync(`/proc/${pid}/task`)) {
        try {
            const line = fs.readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8');
            nanoseconds += Number(line.split(' ')[0]);
        } catch {
            continue; // The thread ended in between.
        }
    }
    return nanoseconds / 1e9;
}

// Seconds on a CPU of a process, of those below it, and of all that these have waited for; to a
// clock tick (10 ms).
export function treeCpuSeconds(pid) {
    const stats = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => {
        try {
            const stat = fs.readFileSync(`/proc/${name}/stat`, 'latin1');
            const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number);
            const ticks = fields[11] + fields[12] + fields[13] + fields[14];
            return [{ pid: Number(name), parent: fields[1], ticks }];
        } catch {
            return []; // It ended in between.
        }
    });
    const below = (parent) => stats.filter((each) => each.parent === parent)
        .reduce((sum, each) => sum + each.ticks + below(each.pid), 0);
    return (stats.find((each) => each.pid === pid).ticks + below(pid)) / 100;
}

export function residentMiB(pid) {
    const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)[1]) / 1024;
}

// The most that was ever resident; 0 once the process has ended.
export function highestResidentMiB(pid) {
    try {
        const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
        return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
    } catch {
        return 0;
    }
}

// Started by any thread of the process.
export function childrenOf(pid) {
    try {
        return fs.readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
            fs.readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ')
                .filter(Boolean).map(Number));
    } catch {
        return []; // It ended in between.
    }
}

export async function freePort() {
    const server = net.createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    server.close();
    await once(server, 'close');
    return port;
}

// One request of this program's own, never part of a measurement's load.
export function ask(url, { method = 'GET', headers = {}, body, timeout = 10_000 } = {}) {
    const client = url.startsWith('https:') ? https : http;
    return new Promise((resolve, reject) => {
        const request = client.request(
            url,
            { method, headers, agent: false, rejectUnauthorized: false, timeout },
            (response) => {
                const parts = [];
                response.on('data', (part) => parts.push(part));
                response.on('error', reject);
                response.on('end', () =>
                    resolve({ status: response.statusCode, text: Buffer.concat(parts).toString() }),
                );
            },
        );
        request.on('timeout', () => request.destroy(new Error(`no answer from ${url}`)));
        request.on('error', reject);
        request.end(body);
    });
}

export async function waitForStatus200(url, child, label) {
    const deadline = Date.now() + 60_000;
    while (Date.now() < deadline) {
        if (child.exitCode !== null || child.signalCode !== null) {
            throw new Failure(`${label} ended before it answered`);
        }
        try {
            if ((await ask(url)).status === 200) return;
        } catch {
            await sleep(1); // Not listening yet.
        }
    }
    throw new Failure(`${label} does not answer 200 on ${url}`);
}

export async function stop(child, signal, label) {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
    const [code, killedBy] = await ended;
    clearTimeout(timer);
    if (killedBy === 'SIGKILL') throw new Failure(`${label} did not stop within 20 s`);
    if (code !== 0 && killedBy !== signal) throw new Failure(`${label} ended with ${code}`);
}

// What one AES-256-GCM pass over a GB costs on the server's core, in CPU seconds.
export function aesSecondsPerGB() {
    const output = execFileSync(
        'taskset',
        ['-c', String(serverCore), 'openssl', 'speed', '-mr', '-seconds', '1', '-bytes', '65536',
            '-evp', 'aes-256-gcm'],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    );
    const bytesPerSecond = Number(/^\+F:\d+:AES-256-GCM:([\d.]+)/m.exec(output)?.[1]);
    if (!bytesPerSecond) throw new Failure('openssl speed printed no figure');
    return 1e9 / bytesPerSecond;
}

// Writes `bytes` of blocks and gives them back to the file system: later files land on blocks
// that the (perhaps thin) disk has seen before.
export function touchDisk(folder, bytes) {
    const path = `${folder}/first-touch`;
    const block = Buffer.alloc(8 << 20, 0x5a);
    const file = fs.openSync(path, 'w');
    for (let written = 0; written < bytes; written += block.length) fs.writeSync(file, block);
    fs.fsyncSync(file);
    fs.closeSync(file);
    fs.rmSync(path);
}

export function freeDiskBytes(folder) {
    const status = fs.statfsSync(folder);
    return status.bavail * status.bsize;
}

export function describeMachine(repository) {
    const run = (command, ...args) => {
        try {
            return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
                .trim();
        } catch {
            return 'unknown';
        }
    };
    return {
        date: new Date().toISOString(),
        commit: run('git', '-C', repository, 'rev-parse', '--short=12', 'HEAD'),
        cpu: os.cpus()[0].model,
        cores: os.cpus().length,
        memory_gib: Math.round(os.totalmem() / 2 ** 30),
        kernel: os.release(),
        openssl: run('openssl', 'version'),
        load_average_before: os.loadavg()[0],
    };
}
