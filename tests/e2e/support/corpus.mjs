// Real files of every type of the contract, in many variants. A row: { name, type, make } and,
// where it is not `type`, `delivered`: the type that a recipient gets.

import { readFileSync } from "node:fs";

import * as documents from "./documents.mjs";
import { ffmpeg, film, sound, through, vips } from "./encoders.mjs";
import { bmp, drawing, gif, icon, jpeg, png, taggedJpeg, tiff } from "./pictures.mjs";
import { aiff, avi, caf, midi, mp3, quicktime, tone, wav } from "./sounds_and_films.mjs";

const picture = drawing(96, 64);
const still = png(picture);
const short = tone(0.3);
const officeType = "application/vnd.openxmlformats-officedocument";
const iwork = (app) => `application/x-iwork-${app}-sff${app}`;

const row = (type, delivered) => (name, make) => ({ name, type, delivered, make });
const rows = (type, files, delivered = type) =>
  files.map(([name, make]) => row(type, delivered)(name, make));
// A file of tests/data/media: formats that nothing here writes.
export const sample = (name) => readFileSync(new URL(`../../data/media/${name}`, import.meta.url));
const given = (name) => [name, async () => sample(name)];
const text = (name, content, encoding = "utf8") => [name, async () => Buffer.from(content, encoding)];
const saved = (name, options = "", operation = "copy", ...words) => [
  `${name}${options}`,
  () => vips(operation, still, `a${name.slice(name.lastIndexOf("."))}${options}`, ...words),
];
const recorded = (name, ...words) => [
  [name, ...words].join(" "),
  () => sound(words, name, 0.3),
];
const filmed = (name, ...words) => [[name, ...words].join(" "), () => film(words, name)];
const utf16 = (content) => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(content, "utf16le")]);

// The same bytes under another brand: HEIF that does not tell its codec.
async function heif() {
  const bytes = await vips("copy", still, "a.heic");
  const end = bytes.readUInt32BE(0);
  for (let at = 8; at < end; at += at === 8 ? 8 : 4) {
    if (bytes.toString("latin1", at, at + 3) === "hei") bytes.write("mif1", at, "latin1");
  }
  return bytes;
}

const images = [
  ...rows("image/jpeg", [
    ["jpeg-js.jpg", async () => jpeg(picture)],
    ["rough.jpg", async () => jpeg(picture, 10)],
    ["exif.jpg", async () => taggedJpeg(picture, 6)],
    saved("progressive.jpg", "[interlace]"),
    saved("optimised.jpg", "[optimize-coding,Q=40]"),
    saved("grey.jpg", "", "colourspace", "b-w"),
    saved("full-colour.jpg", "[subsample-mode=off]"),
    saved("cmyk.jpg", "", "icc_transform", "cmyk", "--input-profile", "srgb"),
    ["ffmpeg.jpg", () => ffmpeg(["-i", "in", "-pix_fmt", "yuvj420p"], "a.jpg", { in: still })],
  ]),
  ...rows("image/jpg", [["former.jpg", async () => jpeg(picture)]], "image/jpeg"),
  ...rows("image/png", [
    ["rgba.png", async () => still],
    saved("palette.png", "[palette]"),
    saved("bits.png", "[palette,bitdepth=1]"),
    saved("interlaced.png", "[interlace]"),
    saved("grey.png", "", "colourspace", "b-w"),
    saved("deep.png", "", "colourspace", "rgb16"),
    ["ffmpeg.png", () => ffmpeg(["-i", "in"], "a.png", { in: still })],
  ]),
  ...rows("image/gif", [
    ["still.gif", async () => gif([picture])],
    ["party.gif", async () => gif([0, 1, 2].map((phase) => drawing(40, 30, phase)))],
    ["film.gif", () => film([], "a.gif", { withSound: false, size: "48x32" })],
  ]),
  ...rows("image/heic", [
    saved("a.heic"),
    saved("lossless.heic", "[lossless]"),
    ["heif-enc.heic", () => through("heif-enc", ["in.png", "-o", "a.heic"], { "in.png": still }, "a.heic")],
  ]),
  ...rows("image/heif", [["a.heif", heif]]),
  ...rows(
    "image/tiff",
    [
      ["own.tiff", async () => tiff(picture)],
      saved("plain.tif"),
      saved("deep.tif", "", "colourspace", "rgb16"),
      saved("lzw.tif", "[compression=lzw]"),
      saved("deflate.tif", "[compression=deflate]"),
      saved("jpeg.tif", "[compression=jpeg]"),
      saved("packbits.tif", "[compression=packbits]"),
      saved("tiles.tif", "[tile]"),
      saved("pyramid.tif", "[tile,pyramid]"),
      saved("big.tif", "[bigtiff]"),
      saved("grey.tif", "", "colourspace", "b-w"),
      saved("cmyk.tif", "", "icc_transform", "cmyk", "--input-profile", "srgb"),
      ["ffmpeg.tif", () => ffmpeg(["-i", "in"], "a.tif", { in: still })],
    ],
    "image/jpeg",
  ),
  ...rows("image/bmp", [
    ["own.bmp", async () => bmp(picture)],
    ...["bgr24", "bgra", "rgb565le", "gray", "monob"].map((format) => [
      `${format}.bmp`,
      () => ffmpeg(["-i", "in", "-pix_fmt", format], "a.bmp", { in: still }),
    ]),
  ]),
  ...rows("image/x-icon", [
    ["png.ico", async () => icon(drawing(48, 48))],
    ["bmp.ico", () => ffmpeg(["-i", "in", "-c:v", "bmp"], "a.ico", { in: still })],
  ]),
];

const films = [
  ...rows("video/mp4", [
    filmed("a.mp4"),
    filmed("a.mp4", "-c:v", "mpeg4"),
    filmed("a.mp4", "-movflags", "faststart"),
    filmed("a.mp4", "-movflags", "frag_keyframe+empty_moov"),
    filmed("a.mp4", "-movflags", "frag_keyframe+empty_moov+default_base_moof"),
    filmed("a.mp4", "-brand", "mp42"),
    ["silent.mp4", () => film([], "a.mp4", { withSound: false })],
  ]),
  ...rows("video/quicktime", [
    ["mjpeg.mov", async () => quicktime(3)],
    filmed("a.mov"),
    filmed("a.mov", "-c:v", "mpeg4", "-c:a", "pcm_s16le"),
    filmed("a.mov", "-c:v", "prores", "-pix_fmt", "yuv422p10le"),
    filmed("a.mov", "-movflags", "faststart"),
  ]),
  ...rows("video/mpeg", [
    filmed("a.mpg", "-r", "25"),
    filmed("a.mpg", "-r", "25", "-c:v", "mpeg2video"),
    filmed("a.mpg", "-r", "25", "-f", "vob"),
    filmed("a.ts", "-r", "25", "-c:v", "mpeg2video"),
    filmed("a.m2ts", "-r", "25", "-c:v", "mpeg2video"),
    filmed("a.m1v", "-r", "25", "-an"),
  ]),
  ...rows("video/mpeg2", [
    filmed("a.mpg", "-r", "25", "-c:v", "mpeg2video"),
    filmed("a.m2v", "-r", "25", "-an"),
  ]),
  ...rows("video/x-m4v", [filmed("a.m4v", "-f", "ipod"), filmed("a.m4v", "-f", "mp4")]),
  ...rows("video/x-msvideo", [
    ["mjpeg.avi", async () => avi(3)],
    filmed("a.avi"),
    filmed("a.avi", "-c:v", "libx264", "-c:a", "pcm_s16le"),
    filmed("a.avi", "-c:v", "msmpeg4"),
  ]),
  ...rows("video/3gpp", [
    filmed("a.3gp", "-c:v", "mpeg4", "-c:a", "aac"),
    filmed("a.3gp", "-c:v", "libx264", "-c:a", "aac"),
    filmed("a.3g2", "-c:v", "mpeg4", "-c:a", "aac"),
  ]),
];

const frame = Buffer.concat([Buffer.from([0x3c]), Buffer.alloc(31, 0x11)]);
const sounds = [
  ...rows("audio/mpeg", [
    ["lame.mp3", async () => mp3(short)],
    recorded("a.mp3"),
    recorded("a.mp3", "-id3v2_version", "3", "-metadata", "title=T"),
    recorded("a.mp3", "-write_xing", "0", "-id3v2_version", "0"),
    recorded("a.mp3", "-q:a", "5"),
    recorded("a.mp3", "-ar", "22050", "-b:a", "32k"),
    recorded("a.mp3", "-ar", "8000"),
    recorded("a.mp3", "-ac", "2", "-b:a", "320k"),
    recorded("a.mp2"),
  ]),
  ...rows("audio/mp3", [recorded("a.mp3", "-b:a", "64k")], "audio/mpeg"),
  ...rows("audio/x-m4a", [
    recorded("a.m4a"),
    recorded("a.m4a", "-c:a", "alac"),
    recorded("a.m4a", "-movflags", "faststart"),
    recorded("a.m4a", "-ac", "2", "-ar", "48000"),
  ]),
  ...rows("audio/mp4", [recorded("a.m4a"), recorded("a.mp4")], "audio/x-m4a"),
  ...rows("audio/m4a", [recorded("a.m4a", "-ar", "16000")], "audio/x-m4a"),
  ...rows(
    "audio/x-caf",
    [
      ["own.caf", async () => caf(short)],
      recorded("a.caf", "-c:a", "alac"),
      recorded("a.caf", "-c:a", "pcm_s16be"),
      recorded("a.caf", "-c:a", "pcm_mulaw"),
    ],
    "audio/mp4",
  ),
  ...rows("audio/x-wav", [
    ["own.wav", async () => wav(short)],
    ...["pcm_u8", "pcm_s24le", "pcm_f32le", "pcm_mulaw", "adpcm_ms", "adpcm_ima_wav"].map((codec) =>
      recorded("a.wav", "-c:a", codec),
    ),
    recorded("a.wav", "-rf64", "always"),
  ]),
  ...rows("audio/wav", [recorded("a.wav", "-ac", "2")], "audio/x-wav"),
  ...rows("audio/x-aiff", [
    ["own.aiff", async () => aiff(short)],
    recorded("a.aiff"),
    recorded("a.aiff", "-c:a", "pcm_s24be"),
    recorded("a.aif", "-c:a", "pcm_s16le"),
  ]),
  ...rows("audio/aiff", [recorded("a.aiff", "-ac", "2")], "audio/x-aiff"),
  ...rows("audio/aac", [
    recorded("a.aac"),
    recorded("a.aac", "-ac", "2", "-b:a", "192k"),
    recorded("a.aac", "-ar", "16000"),
  ]),
  ...rows("audio/midi", [
    ["own.mid", async () => midi()],
    given("rmid.mid"),
  ]),
  ...rows("audio/amr", [
    ["own.amr", async () => Buffer.concat([Buffer.from("#!AMR\n"), ...Array(20).fill(frame)])],
    given("amr_wb.amr"),
  ]),
];

const pdfWith = (version) =>
  documents.pdf("Hello").toString("latin1").replace("%PDF-1.4", `%PDF-${version}`);
const texts = [
  ...rows("application/pdf", [
    ["one.pdf", async () => documents.pdf("Dear (reader)")],
    ["pages.pdf", async () => documents.pdfOfPages(["0 0 9 9 re f", "9 9 9 9 re f"])],
    text("new.pdf", pdfWith("1.7"), "latin1"),
    text("newest.pdf", pdfWith("2.0"), "latin1"),
    ["junk.pdf", async () => Buffer.concat([Buffer.from("\n\n\r\n"), documents.pdf("x")])],
  ]),
  ...rows("text/plain", [
    text("a.txt", "plain text, ünïcödé\n"),
    text("latin.txt", "gr\xfc\xdfe aus K\xf6ln, wie immer sehr herzlich\n", "latin1"),
    ["wide.txt", async () => utf16("plain text, ünïcödé\n")],
    text("bom.txt", "\ufeffwith a mark\n"),
    text("one.txt", "x"),
    text("emoji.txt", "👋🏽 hej\n"),
    text("log.txt", "2026-01-01 00:00:00 started\n".repeat(2000)),
  ]),
  ...rows("text/plain; charset=utf-8", [text("p.txt", "with a parameter\n")], "text/plain"),
  ...rows("text/markdown", [
    ["a.md", async () => documents.markdown()],
    text("table.md", "| a | b |\n| --- | --- |\n| 1 | 2 |\n"),
    text("html.md", "<p align=center>hello</p>\n\n# Title\n"),
  ]),
  ...rows("text/vcard", [
    ["a.vcf", async () => documents.vcard()],
    text("four.vcf", "BEGIN:VCARD\nVERSION:4.0\nFN:Ada\nEND:VCARD\n"),
    ["two.vcf", async () => Buffer.concat([documents.vcard(), documents.vcard()])],
    given("vcf_bom.vcf"),
  ]),
  ...rows("text/x-vcard", [["former.vcf", async () => documents.vcard()]], "text/vcard"),
  ...rows("text/rtf", [
    ["a.rtf", async () => documents.rtf()],
    text("cocoa.rtf", "{\\rtf1\\ansi\\ansicpg1252\\cocoartf2822\n{\\fonttbl}\nHello}"),
  ]),
  ...rows("application/rtf", [["former.rtf", async () => documents.rtf()]], "text/rtf"),
  ...rows("text/csv", [
    ["a.csv", async () => documents.csv()],
    text("semicolons.csv", "name;city\nAda;London\n"),
    text("column.csv", "name\nAda\nAlan\n"),
    text("bom.csv", "\ufeffname,city\nAda,London\n"),
  ]),
  ...rows("text/html", [
    ["a.html", async () => documents.html()],
    text("old.html", '<HTML><BODY BGCOLOR="#FFFFFF">hi</BODY></HTML>'),
    text("comment.html", "<!-- saved -->\n<html><p>hi</html>\n"),
    given("xhtml.html"),
  ]),
  ...rows("text/calendar", [
    ["a.ics", async () => documents.calendar()],
    text("bom.ics", "\ufeffBEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n"),
  ]),
  ...rows("text/xml", [
    ["a.xml", async () => documents.xml()],
    text("bare.xml", "<list><item/></list>\n"),
    text("feed.xml", '<?xml version="1.0"?><rss version="2.0"><channel/></rss>'),
    ["wide.xml", async () => utf16('<?xml version="1.0" encoding="UTF-16"?><a/>')],
  ]),
  ...rows("application/json", [
    text("a.json", '{"a":[1,2,{"b":null}]}\n'),
    text("list.json", "[1, 2, 3]\n"),
    text("value.json", '"just a string"\n'),
    text("large.json", JSON.stringify(Array.from({ length: 9000 }, (_, n) => ({ n })))),
  ]),
];

const entry = (name, content = "content") => [name, content];
const packages = [
  ...rows("application/msword", [given("doc.doc"), given("doc_version_4.doc"), given("doc_late_name.doc")]),
  ...rows("application/vnd.ms-excel", [given("xls.xls")]),
  ...rows("application/vnd.ms-powerpoint", [given("ppt.ppt")]),
  ...rows(`${officeType}.wordprocessingml.document`, [
    ["a.docx", async () => documents.docx("Dear reader")],
    ["long.docx", async () => documents.docx("words ".repeat(50_000))],
    given("docx.docx"),
  ]),
  ...rows(`${officeType}.spreadsheetml.sheet`, [
    ["a.xlsx", async () => documents.xlsx([[1, 2], [3, 4]])],
    given("xlsx.xlsx"),
  ]),
  ...rows(`${officeType}.presentationml.presentation`, [given("pptx.pptx"), given("pptx_types_last.pptx")]),
  ...rows(iwork("pages"), [given("pages.pages")]),
  ...rows(iwork("numbers"), [given("numbers.numbers")]),
  ...rows("application/x-iwork-keynote-sffkey", [given("key.key"), given("key_09.key")]),
  ...rows("application/epub+zip", [
    ["a.epub", async () => documents.epub("A book", "Once upon a time")],
    given("epub.epub"),
  ]),
  ...rows("application/zip", [
    ["a.zip", async () => documents.zip([["a/b.txt", "b"], ["ü.txt", "u".repeat(5000)]])],
    ["many.zip", async () => documents.zip(Array.from({ length: 500 }, (_, n) => entry(`${n}.txt`)))],
    ["stored.zip", async () => documents.zip([["a.png", still, "store"]])],
    given("zip_empty.zip"),
    given("zip_comment.zip"),
  ]),
  ...rows(
    "application/x-zip-compressed",
    [["former.zip", async () => documents.zip([entry("a")])]],
    "application/zip",
  ),
  ...rows("application/x-gzip", [
    ["log.gz", async () => documents.gzip("line\n".repeat(1000))],
    given("gzip.gz"),
  ]),
  ...rows("application/vnd.apple.pkpass", [
    ["a.pkpass", async () => documents.zip(["pass.json", "manifest.json"].map((name) => entry(name)))],
    given("pkpass.pkpass"),
  ]),
];

export const corpus = [...images, ...films, ...sounds, ...texts, ...packages];

// What is taken only where the operator allows it.
export const onlyIfAllowed = [
  ...rows("image/webp", [saved("a.webp"), saved("lossless.webp", "[lossless]")]),
  ...rows("image/svg+xml", [
    text("a.svg", '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>'),
    text("prolog.svg", '<?xml version="1.0"?>\n<!-- x -->\n<svg xmlns="http://www.w3.org/2000/svg"/>'),
  ]),
];
