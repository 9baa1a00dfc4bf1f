// What a process of this machine has used, from /proc.
import { readFileSync } from "node:fs";

/** Linux counts CPU time in these units for every program. */
const TICKS_PER_SECOND = 100;

/** The CPU time that a process has used, in microseconds; its threads included. */
export function cpuUs(pid) {
  // The name is in brackets, and may hold blanks.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  return ((user + system) / TICKS_PER_SECOND) * 1e6;
}

/** The memory of a process that is in RAM, in kilobytes. */
export function residentKb(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)[1]);
}
