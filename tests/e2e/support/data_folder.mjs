// What stands in a data folder, seen from outside the server.

import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { basename, join, relative } from "node:path";

import { rewritePageChecks } from "./page_checks.mjs";
import { run } from "./program.mjs";

// Every file below `folder`, as paths relative to it. A file that vanishes meanwhile is left out.
export function filesIn(folder, root = folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesIn(path, root) : [relative(root, path)];
  });
}

// The names of the stored blobs, those that are still being written apart.
export function storedBlobs(dataFolder) {
  const all = filesIn(join(dataFolder, "blobs"));
  return {
    incoming: all.filter((path) => path.startsWith("incoming/")).map((path) => basename(path)),
    stored: all.filter((path) => !path.startsWith("incoming/")),
  };
}

// The files of `folder` in which one of `needles` stands: [path, needle] pairs.
export function findInFiles(folder, needles) {
  const found = [];
  for (const path of filesIn(folder)) {
    const bytes = readFileSync(join(folder, path));
    for (const needle of needles) {
      if (bytes.includes(needle)) found.push([path, String(needle)]);
    }
  }
  return found;
}

export function modeOf(path) {
  return statSync(path).mode & 0o777;
}

// Rows of a query on the metadata, which a server may be using. Blobs come as hex(column).
export async function query(dataFolder, sql) {
  const [file] = filesIn(dataFolder).filter((path) => path.endsWith(".db"));
  const result = await run("sqlite3", [
    "-json",
    "-cmd",
    ".timeout 5000",
    `file:${join(dataFolder, file)}?mode=ro`,
    sql,
  ]);
  if (result.code !== 0) throw new Error(`sqlite3: ${result.stderr}`);
  return result.stdout.trim() === "" ? [] : JSON.parse(result.stdout);
}

// Runs SQL on the metadata behind the server's back, whether it is there or not.
export async function change(dataFolder, sql) {
  const file = join(dataFolder, "satchel.db");
  const result = await run("sqlite3", ["-cmd", ".timeout 5000", file, sql]);
  if (result.code !== 0) throw new Error(`sqlite3: ${result.stderr}`);
  // A log that is there belongs to a server, which copies it into the file itself.
  if (!existsSync(`${file}-wal`)) rewritePageChecks(file);
}
