// Documents and archives: what office programs, phones and readers exchange.

import { deflateRawSync, gzipSync } from "node:zlib";

import { crc32 } from "./checksums.mjs";

// entries: [name, content, "store"?]
export function zip(entries) {
  const locals = [];
  const directory = [];
  let offset = 0;
  for (const [name, content, how] of entries) {
    const plain = Buffer.from(content);
    const packed = how === "store" ? plain : deflateRawSync(plain);
    const nameBytes = Buffer.from(name);
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt16LE(0x800, 2); // Names are UTF-8.
    shared.writeUInt16LE(how === "store" ? 0 : 8, 4);
    shared.writeUInt16LE(0x21, 8); // 1980-01-01.
    shared.writeUInt32LE(crc32(plain), 10);
    shared.writeUInt32LE(packed.length, 14);
    shared.writeUInt32LE(plain.length, 18);
    shared.writeUInt16LE(nameBytes.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), shared, nameBytes, packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(
      Buffer.concat([Buffer.from("PK\x01\x02\x14\x00", "latin1"), shared, tail, nameBytes]),
    );
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, central, end]);
}

export function gzip(content) {
  return gzipSync(content);
}

const xmlHead = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const office = "http://schemas.openxmlformats.org";
const mainPart = {
  docx: ["word/document.xml", "wordprocessingml.document"],
  xlsx: ["xl/workbook.xml", "spreadsheetml.sheet"],
};

function officePackage(kind, parts) {
  const [path, type] = mainPart[kind];
  const types =
    `${xmlHead}<Types xmlns="${office}/package/2006/content-types">` +
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>' +
    '<Default Extension="xml" ContentType="application/xml"/>' +
    `<Override PartName="/${path}" ContentType="application/vnd.openxmlformats-officedocument.${type}.main+xml"/>` +
    "</Types>";
  const relations =
    `${xmlHead}<Relationships xmlns="${office}/package/2006/relationships"><Relationship Id="rId1" ` +
    `Type="${office}/officeDocument/2006/relationships/officeDocument" Target="${path}"/></Relationships>`;
  return zip([["[Content_Types].xml", types], ["_rels/.rels", relations], ...parts]);
}

export function docx(text) {
  const body = `<w:body><w:p><w:r><w:t>${text}</w:t></w:r></w:p></w:body>`;
  const document = `${xmlHead}<w:document xmlns:w="${office}/wordprocessingml/2006/main">${body}</w:document>`;
  return officePackage("docx", [["word/document.xml", document]]);
}

export function xlsx(rows) {
  const workbook =
    `${xmlHead}<workbook xmlns="${office}/spreadsheetml/2006/main" xmlns:r="${office}/officeDocument/2006/relationships">` +
    '<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>';
  const relations =
    `${xmlHead}<Relationships xmlns="${office}/package/2006/relationships"><Relationship Id="rId1" ` +
    `Type="${office}/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`;
  const cells = rows.map(
    (row, y) => `<row r="${y + 1}">${row.map((value) => `<c><v>${value}</v></c>`).join("")}</row>`,
  );
  const sheet = `${xmlHead}<worksheet xmlns="${office}/spreadsheetml/2006/main"><sheetData>${cells.join("")}</sheetData></worksheet>`;
  return officePackage("xlsx", [
    ["xl/workbook.xml", workbook],
    ["xl/_rels/workbook.xml.rels", relations],
    ["xl/worksheets/sheet1.xml", sheet],
  ]);
}

export function epub(title, text) {
  const container =
    `${xmlHead}<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">` +
    '<rootfiles><rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>';
  const book =
    `${xmlHead}<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id">` +
    `<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="id">e2e</dc:identifier>` +
    `<dc:title>${title}</dc:title><dc:language>en</dc:language></metadata>` +
    '<manifest><item id="c" href="c.xhtml" media-type="application/xhtml+xml" properties="nav"/></manifest>' +
    '<spine><itemref idref="c"/></spine></package>';
  const chapter = `${xmlHead}<html xmlns="http://www.w3.org/1999/xhtml"><head><title>${title}</title></head><body><p>${text}</p></body></html>`;
  return zip([
    ["mimetype", "application/epub+zip", "store"],
    ["META-INF/container.xml", container],
    ["book.opf", book],
    ["c.xhtml", chapter],
  ]);
}

// One page with one line of text.
export const pdf = (text) =>
  pdfOfPages([`BT /F1 24 Tf 72 720 Td (${text.replace(/[\\()]/g, "\\$&")}) Tj ET`]);

// Pages of 595 x 842 points with these content streams.
export function pdfOfPages(contents) {
  const pageAt = (index) => 4 + index * 2;
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    `<< /Type /Pages /Kids [${contents.map((_, index) => `${pageAt(index)} 0 R`).join(" ")}] /Count ${contents.length} >>`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ...contents.flatMap((content, index) => [
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents ${pageAt(index) + 1} 0 R /Resources << /Font << /F1 3 0 R >> >> >>`,
      `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    ]),
  ];
  let out = "%PDF-1.4\n%\xe2\xe3\xcf\xd3\n";
  const offsets = objects.map((object, index) => {
    const at = out.length;
    out += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(at).padStart(10, "0")} 00000 n \n`;
  });
  const at = out.length;
  out += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.join("")}`;
  out += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${at}\n%%EOF\n`;
  return Buffer.from(out, "latin1");
}

const lines = (...all) => Buffer.from(`${all.join("\r\n")}\r\n`);

export const vcard = () =>
  lines(
    "BEGIN:VCARD",
    "VERSION:3.0",
    "N:Lovelace;Ada;;;",
    "FN:Ada Lovelace",
    "TEL:+15550100001",
    "END:VCARD",
  );

export const calendar = () =>
  lines(
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//satchel//e2e//EN",
    "BEGIN:VEVENT",
    "UID:1@example.com",
    "DTSTAMP:20260102T030405Z",
    "DTSTART:20260103T090000Z",
    "SUMMARY:Tea",
    "END:VEVENT",
    "END:VCALENDAR",
  );

export const rtf = () =>
  Buffer.from("{\\rtf1\\ansi{\\fonttbl\\f0 Helvetica;}\\f0 Good {\\b morning}.\\par}");
export const csv = () => lines("name,city", '"Lovelace, Ada",London', '"Turing, Alan",Wilmslow');
export const markdown = () => Buffer.from("# Notes\n\n- ünïcödé\n- 你好\n");
export const html = () =>
  Buffer.from("<!doctype html><title>t</title><script>alert(1)</script><p>hello</p>\n");
export const xml = () =>
  Buffer.from('<?xml version="1.0"?>\n<list><item id="1">one</item></list>\n');
