// One real file of each kind: { filename, contentType, bytes }.

import * as documents from "./documents.mjs";
import { bmp, drawing, gif, icon, jpeg, png, tiff } from "./pictures.mjs";
import { aiff, avi, caf, midi, mp3, quicktime, tone, wav } from "./sounds_and_films.mjs";

const officeType = "application/vnd.openxmlformats-officedocument";

export function samples() {
  const picture = drawing(320, 240);
  const small = drawing(64, 64);
  const sound = tone(1.5);
  const rows = [
    ["photo.jpg", "image/jpeg", jpeg(drawing(1600, 1200))],
    ["screenshot.png", "image/png", png(picture)],
    ["party.gif", "image/gif", gif([0, 1, 2].map((phase) => drawing(80, 60, phase)))],
    ["scan.tiff", "image/tiff", tiff(picture)],
    ["old.bmp", "image/bmp", bmp(picture)],
    ["favicon.ico", "image/x-icon", icon(small)],
    ["clip.mov", "video/quicktime", quicktime(12)],
    ["clip.avi", "video/x-msvideo", avi(12)],
    ["song.mp3", "audio/mpeg", mp3(sound)],
    ["voice.wav", "audio/x-wav", wav(sound)],
    ["voice.aiff", "audio/x-aiff", aiff(sound)],
    ["voice.caf", "audio/x-caf", caf(sound)],
    ["scale.mid", "audio/midi", midi()],
    ["letter.pdf", "application/pdf", documents.pdf("Dear (reader) \\ hello")],
    ["note.txt", "text/plain", Buffer.from("plain text, ünïcödé\n")],
    ["README.md", "text/markdown", documents.markdown()],
    ["ada.vcf", "text/vcard", documents.vcard()],
    ["letter.rtf", "text/rtf", documents.rtf()],
    ["table.csv", "text/csv", documents.csv()],
    ["page.html", "text/html", documents.html()],
    ["tea.ics", "text/calendar", documents.calendar()],
    ["list.xml", "text/xml", documents.xml()],
    ["data.json", "application/json", Buffer.from('{"a":[1,2,{"b":null}]}\n')],
    ["letter.docx", `${officeType}.wordprocessingml.document`, documents.docx("Dear reader")],
    [
      "sums.xlsx",
      `${officeType}.spreadsheetml.sheet`,
      documents.xlsx([
        [1, 2],
        [3, 4],
      ]),
    ],
    ["book.epub", "application/epub+zip", documents.epub("A book", "Once upon a time")],
    [
      "bundle.zip",
      "application/zip",
      documents.zip([
        ["a/b.txt", "b"],
        ["ü.txt", "u".repeat(5000)],
      ]),
    ],
    ["log.gz", "application/x-gzip", documents.gzip("line\n".repeat(1000))],
  ];
  return rows.map(([filename, contentType, bytes]) => ({ filename, contentType, bytes }));
}
