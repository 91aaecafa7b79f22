// What is delivered in place of an upload, beside the command that makes the same: a new file each
// time, as here. To write over a file of the round before is cheaper, its memory is at hand.
import { MediaBench, timed } from '../harness/media.mjs';

const settings = '[media]\npreviews = true\n';
const smallSends = 20;
const picturesAtOnce = 5; // The CPU of a process is counted in ticks of 10 ms.

export async function run(bench) {
    const satchel = await bench.startSatchel('store-media', { settings });
    const media = await MediaBench.open(bench, satchel);
    await tiff(bench, media);
    await again(bench, media);
    await caf(bench, media);
    await preview(bench, media, '12mpx.jpg', 'a 12 Mpx JPEG');
    await preview(bench, media, 'small.jpg', 'a JPEG of 800 x 600', { max: 30 });
    await bench.stop(satchel);
}

async function tiff(bench, media) {
    const file = media.picture('12mpx.tif');
    const rounds = await bench.interleave('TIFF to JPEG', async () => {
        const ids = [];
        for (let i = 0; i < picturesAtOnce; ++i) ids.push(await media.upload(file, 'image/tiff'));
        const ours = await media.measure(async () => {
            for (const id of ids) await media.sendAs(id, 'image/jpeg');
        });
        const theirs = ids.map((id) => timed('vips', ['copy', file, media.file(`${id}.jpg[Q=85]`)]));
        return { ours: each([ours]), theirs: each(theirs) };
    });
    const work = 'First send of a 12 Mpx TIFF (36 MB), delivered as JPEG';
    add(bench, rounds, { work, figure: 'cpu', peer: '`vips copy` to JPEG', aim: { ratio_max: 1 } });
    add(bench, rounds, { work, figure: 'wall', peer: '`vips copy` to JPEG' });
}

// What one of picturesAtOnce took, of measurements of all of them.
function each(measured) {
    const mean = (figure) =>
        measured.reduce((sum, one) => sum + one[figure], 0) / picturesAtOnce;
    return { wall: mean('wall'), cpu: mean('cpu') };
}

async function again(bench, media) {
    const converted = await media.upload(media.picture('12mpx.tif'), 'image/tiff');
    const plain = await media.upload(media.picture('12mpx.jpg'), 'image/jpeg');
    await media.sendAs(converted, 'image/jpeg');
    const sendMany = async (id) => {
        for (let i = 0; i < smallSends; ++i) await media.sendAs(id, 'image/jpeg');
    };
    const rounds = await bench.interleave('second send', async () => ({
        ours: await media.measure(() => sendMany(converted)),
        theirs: await media.measure(() => sendMany(plain)),
    }));
    bench.add({
        work: 'Send of a TIFF that was converted before', unit: 'ms',
        ours: rounds.map(({ ours }) => (ours.wall / smallSends) * 1000),
        theirs: rounds.map(({ theirs }) => (theirs.wall / smallSends) * 1000),
        peer: 'send of a JPEG', aim: { ratio_max: 1.5 },
    });
}

async function caf(bench, media) {
    const file = media.sound('60s.caf', 60);
    const rounds = await bench.interleave('CAF to M4A', async () => {
        const id = await media.upload(file, 'audio/x-caf');
        const ours = await media.measure(() => media.sendAs(id, 'audio/mp4'));
        const words = ['-nostdin', '-v', 'error', '-y', '-i', file, '-c:a', 'aac'];
        return { ours, theirs: timed('ffmpeg', [...words, media.file(`${id}.m4a`)]) };
    });
    const work = 'First send of a CAF of 60 s, delivered as M4A';
    add(bench, rounds, { work, figure: 'wall', peer: '`ffmpeg`', aim: { ratio_max: 1.15 } });
    add(bench, rounds, { work, figure: 'cpu', peer: '`ffmpeg`', aim: { ratio_max: 1.15 } });
}

async function preview(bench, media, name, what, aim) {
    const file = media.picture(name);
    const small = media.file('peer-small.jpg');
    const rounds = await bench.interleave(`preview of ${what}`, async () => {
        const id = await media.upload(file, 'image/jpeg');
        const ours = await media.measure(() => media.fetchPreview(id));
        return { ours, theirs: timed('vips', ['thumbnail', file, `${small}[Q=80]`, '320']) };
    });
    const milliseconds = (who) => rounds.map((round) => round[who].wall * 1000);
    bench.add({
        work: `First preview of ${what}, 320 pixels wide, wall`, unit: 'ms',
        ours: milliseconds('ours'), theirs: milliseconds('theirs'), peer: '`vips thumbnail`', aim,
    });
}

function add(bench, rounds, { work, figure, peer, aim }) {
    const column = (who) => rounds.map((round) => round[who][figure]);
    bench.add({
        work: `${work}, ${figure === 'cpu' ? 'CPU' : 'wall'}`, unit: 's', ours: column('ours'),
        theirs: column('theirs'), peer, aim,
    });
}
