// Runs the load generator and believes it only when every answer was right.
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';

import { cpuSeconds, Failure, loadCore, sleep, spawnOn } from './machine.mjs';

export class Load {
    constructor(program, folder) {
        this.program = program;
        this.folder = folder;
        this.lists = 0;
        fs.mkdirSync(folder, { recursive: true });
    }

    // Writes `lines` (arrays of columns) to a list file and returns its path.
    list(lines) {
        const file = path.join(this.folder, `list-${this.lists++}`);
        fs.writeFileSync(file, lines.map((columns) => columns.join('\t') + '\n').join(''));
        return file;
    }

    // A path to which a run may save what it made.
    file(name) {
        return path.join(this.folder, name);
    }

    // One job { mode, ...options }, or several at once; returns the results in their order.
    async run(...jobs) {
        const { child, result } = this.start(jobs, 'ignore');
        await once(child, 'close');
        return result();
    }

    // Opens idle connections; `while_held` runs as long as they are held.
    async hold(job, while_held) {
        const { child, result } = this.start([{ mode: 'idle', ...job }], 'pipe');
        const closed = once(child, 'close');
        await Promise.race([once(child.stdout, 'data'), closed]);
        const value = await while_held();
        child.stdin.end();
        await closed;
        const [held] = result();
        if (held.open_at_end !== job.connections) {
            throw new Failure(`only ${held.open_at_end} of ${job.connections} connections stayed`);
        }
        return value;
    }

    start(jobs, stdin) {
        const args = jobs.flatMap((job, i) => [...(i > 0 ? ['+'] : []), ...jobArguments(job)]);
        const child = spawnOn(loadCore, this.program, args, { stdio: [stdin, 'pipe', 'pipe'] });
        let output = '';
        let errors = '';
        child.stdout.on('data', (part) => (output += part));
        child.stderr.on('data', (part) => (errors += part));
        const result = () => {
            const json = output.slice(output.indexOf('{'));
            if (!json) throw new Failure(`load generator: ${errors.trim() || 'no result'}`);
            const results = JSON.parse(json).jobs;
            const messages = results.flatMap((each) => each.messages);
            if (messages.length > 0) throw new Failure(`wrong answers:\n  ${messages.join('\n  ')}`);
            if (child.exitCode !== 0) throw new Failure(`load generator: exit ${child.exitCode}`);
            return results;
        };
        return { child, result };
    }
}

function jobArguments({ mode, ...options }) {
    const args = [mode];
    for (const [name, value] of Object.entries(options)) {
        if (value === undefined || value === false) continue;
        args.push(`--${name}`);
        if (value !== true) args.push(String(value));
    }
    return args;
}

// The first job's result with the server's CPU seconds beside it.
export async function measure(server, load, ...jobs) {
    const before = cpuSeconds(server.pid);
    const [result, ...others] = await load.run(...jobs);
    await sleep(20); // Connections are closed, the loop has come to rest.
    const cpu = cpuSeconds(server.pid) - before;
    const bytes = [result, ...others].reduce((sum, each) => sum + each.bytes_in + each.bytes_out, 0);
    return {
        ...result,
        cpu_seconds: cpu,
        cpu_seconds_per_gb: (cpu / bytes) * 1e9,
        cpu_us_per_turn: (cpu / result.turns) * 1e6,
        others,
    };
}
