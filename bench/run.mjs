#!/usr/bin/env node
// Measures satchel against nginx: bench/README.md.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { Bench } from './harness/bench.mjs';
import { markdown } from './harness/figures.mjs';
import { describeMachine, Failure, pinSelf } from './harness/machine.mjs';
import * as api from './rows/api.mjs';
import { run as detect } from './rows/detect.mjs';
import { run as ephemeral } from './rows/ephemeral.mjs';
import { run as fairness } from './rows/fairness.mjs';
import { run as getFiles } from './rows/get.mjs';
import { run as growth } from './rows/growth.mjs';
import { run as isolation } from './rows/isolation.mjs';
import * as keys from './rows/keys.mjs';
import { run as memory } from './rows/memory.mjs';
import { run as media } from './rows/media.mjs';
import { run as mediaBeside } from './rows/media_beside.mjs';
import { run as mediaMemory } from './rows/media_memory.mjs';
import * as messages from './rows/messages.mjs';
import { run as putFiles } from './rows/put.mjs';
import { run as scrub } from './rows/scrub.mjs';
import { run as start } from './rows/start.mjs';
import * as webhooks from './rows/webhooks.mjs';

const repository = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

const parts = {
    get: getFiles, put: putFiles, post: api.post, 'api-get': api.get, delete: api.remove,
    fairness, memory, start, growth, media, ephemeral, scrub,
    'media-beside': mediaBeside, 'media-memory': mediaMemory, detect, isolation,
    send: messages.send, list: messages.list, webhooks: webhooks.deliver,
    'webhook-memory': webhooks.memory, keys: keys.rotate,
};

const usage = `usage: node bench/run.mjs [--only PART,...] [--rounds N] [--full] [--name NAME]
parts: ${Object.keys(parts).join(', ')}
  --rounds N   rounds per row (default 5)
  --full       the long rows at their full size: 1,000,000 attachments,
               1,000,000 messages, 200 uploads of 100 MiB
  --name NAME  writes bench/results/NAME.json (default: latest; with --only: partial)
  --ephemeral N  so many ephemeral attachments (default 20,000; with --full 1,000,000)
  --satchel FILE, --load FILE, --work FOLDER   other programs, another folder
  --keep       leaves the work folder`;

const optionTable = {
    only: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    full: { type: 'boolean', default: false },
    name: { type: 'string' },
    satchel: { type: 'string', default: path.join(repository, 'build/release/satchel') },
    load: { type: 'string', default: path.join(repository, 'build/release/bench/satchel_load') },
    work: { type: 'string', default: path.join(repository, 'bench/work') },
    ephemeral: { type: 'string' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
};

class UsageError extends Error {}

function parse() {
    try {
        return parseArgs({ options: optionTable }).values;
    } catch (error) {
        throw new UsageError(error.message);
    }
}

function readOptions() {
    const values = parse();
    if (values.help) {
        console.log(usage);
        process.exit(0);
    }
    const only = values.only?.split(',') ?? Object.keys(parts);
    const unknown = only.find((part) => !(part in parts));
    const rounds = Number(values.rounds);
    const ephemeralCount = values.ephemeral === undefined ? undefined : Number(values.ephemeral);
    if (unknown !== undefined) throw new UsageError(`unknown part: ${unknown}`);
    if (!Number.isInteger(rounds) || rounds < 1) throw new UsageError('--rounds wants a number');
    if (ephemeralCount !== undefined && !(Number.isInteger(ephemeralCount) && ephemeralCount > 0)) {
        throw new UsageError('--ephemeral wants a number');
    }
    for (const program of [values.satchel, values.load]) {
        if (!fs.existsSync(program)) throw new UsageError(`${program} is missing: make bench builds it`);
    }
    return {
        ...values, rounds, ephemeralCount, only, whole: values.only === undefined,
        work: path.resolve(values.work),
        name: values.name ?? (values.only === undefined ? 'latest' : 'partial'),
    };
}

async function main(options) {
    pinSelf();
    const machine = describeMachine(repository);
    const bench = new Bench(options);
    process.on('SIGINT', () => bench.stopAll().then(() => process.exit(130)));
    if (machine.load_average_before > 0.5) {
        bench.leave(`the machine was not idle (load average ${machine.load_average_before.toFixed(2)}): ` +
            'wall times and rates suffer, CPU figures less');
    }
    if (options.rounds < 5) bench.leave(`only ${options.rounds} rounds, not 5`);
    try {
        for (const part of options.only) await parts[part](bench);
    } finally {
        await bench.stopAll();
    }
    if (!options.keep) fs.rmSync(options.work, { recursive: true, force: true });
    const report = {
        machine,
        options: { rounds: options.rounds, full: options.full, parts: options.only },
        left_out: bench.leftOut,
        rows: bench.rows,
    };
    const folder = path.join(repository, 'bench/results');
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, `${options.name}.json`), JSON.stringify(report, null, 2) + '\n');
    const page = markdown(report);
    if (options.whole) fs.writeFileSync(path.join(folder, 'RESULTS.md'), page);
    console.log(page);
}

try {
    await main(readOptions());
} catch (error) {
    if (error instanceof Failure) {
        console.error(`bench failed: ${error.message}`);
        process.exitCode = 1;
    } else if (error instanceof UsageError) {
        console.error(`${error.message}\n${usage}`);
        process.exitCode = 2;
    } else {
        throw error;
    }
}
