// Medians with their spread, and the table.
export function spread(values) {
    const sorted = [...values].sort((a, b) => a - b);
    const middle = (sorted.length - 1) / 2;
    const median = (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
    return { median, min: sorted[0], max: sorted[sorted.length - 1] };
}

export const pluck = (runs, name) => runs.map((run) => run[name]);

// Ratios are taken within a round and only then summarised: neighbours trouble both sides alike.
export function ratios(ours, theirs) {
    return spread(ours.map((value, round) => value / theirs[round]));
}

// A row: { work, unit, ours: [..], theirs: [..]?, peer: name?, aim: {...}?, note? }
//   aim { ratio_max | max | min }: what the median is held against.
export function makeRow({ work, unit, ours, theirs, peer, aim, note }) {
    const row = { work, unit, satchel: spread(ours), rounds: ours.length };
    if (theirs) {
        row.peer_name = peer;
        row.peer = spread(theirs);
        row.ratio = ratios(ours, theirs);
    }
    if (note) row.note = note;
    if (aim) {
        row.aim = describeAim(aim, unit);
        row.met = isMet(row, aim);
    }
    return row;
}

function describeAim({ ratio_max, max, min }, unit) {
    const parts = [];
    if (min !== undefined) parts.push(`≥ ${number(min)} ${unit}`);
    if (max !== undefined) parts.push(`≤ ${number(max)} ${unit}`);
    if (ratio_max !== undefined) parts.push(`≤ ${ratio_max} ×`);
    return parts.join(', ');
}

function isMet(row, { ratio_max, max, min }) {
    if (min !== undefined && row.satchel.median < min) return false;
    if (max !== undefined && row.satchel.median > max) return false;
    return ratio_max === undefined || row.ratio.median <= ratio_max;
}

function number(value) {
    const size = Math.abs(value);
    if (size >= 1000) return Math.round(value).toLocaleString('en-US');
    if (size >= 100) return value.toFixed(0);
    if (size >= 10) return value.toFixed(1);
    return value.toFixed(size >= 1 ? 2 : 3);
}

function cell(value, unit = '') {
    if (!value) return '–';
    const { median, min, max } = value;
    return `${number(median)} (${number(min)}..${number(max)})${unit && ` ${unit}`}`;
}

function table(rows) {
    const lines = ['| Work | satchel | peer | ratio | aim | |', '| --- | --- | --- | --- | --- | --- |'];
    for (const row of rows) {
        const peer = row.peer ? `${cell(row.peer, row.unit)} ${row.peer_name}` : '–';
        const verdict = row.met === undefined ? '' : row.met ? 'met' : '**short**';
        const work = row.note ? `${row.work}; ${row.note}` : row.work;
        lines.push(`| ${work} | ${cell(row.satchel, row.unit)} | ${peer} | ` +
            `${cell(row.ratio, '')} | ${row.aim ?? '–'} | ${verdict} |`);
    }
    return lines.join('\n');
}

export function markdown(report) {
    const { machine, options, rows, left_out } = report;
    const short = rows.filter((row) => row.met === false).length;
    const judged = rows.filter((row) => row.met !== undefined).length;
    return `# Benchmark results

Made by \`make bench\` on ${machine.date.slice(0, 16)}Z at commit ${machine.commit}; do not edit.
${machine.cpu}, ${machine.cores} cores, ${machine.memory_gib} GiB, Linux ${machine.kernel}, ${machine.openssl}.
Load average before the run: ${machine.load_average_before.toFixed(2)}. Rounds: ${options.rounds}, interleaved. Servers on core 0, load on core 1.
Figures are medians (min..max). GB = 10^9 bytes. A ratio is taken within each round. What each row means: [README](../README.md).

${table(rows)}

${judged - short} of ${judged} aims met.
${left_out.length ? `\nLeft out or shortened in this run:\n\n${left_out.map((each) => `- ${each}`).join('\n')}\n` : ''}`;
}
