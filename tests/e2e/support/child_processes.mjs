// The processes that a process has started, and those that these have.

import { readFileSync, readdirSync } from "node:fs";

// { pid, parent, name } of every process, dead ones that nobody has waited for included.
function processes() {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
        const end = stat.lastIndexOf(")");
        const parent = Number(stat.slice(end + 2).split(" ")[1]);
        return [{ pid: Number(pid), parent, name: stat.slice(stat.indexOf("(") + 1, end) }];
      } catch {
        return []; // It has ended meanwhile.
      }
    });
}

// Names of all processes below `pid`, sorted.
export function descendants(pid) {
  const all = processes();
  const below = (parent) =>
    all
      .filter((process) => process.parent === parent)
      .flatMap((process) => [process.name, ...below(process.pid)]);
  return below(pid).sort();
}
