// What no server can save: RSA-2048 as OpenSSL computes it on this machine, and a write that is on the disk.
import { execFileSync } from "node:child_process";
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FSYNCS = 2_000;
/** What a commit of a few rows appends to SQLite's log: two pages of 4 KB with their headers. */
const COMMIT_BYTES = 2 * (4_096 + 24);

/** Microseconds of one RSA-2048 signature, and of one verification. */
export function rsaUs() {
  const output = execFileSync("openssl", ["speed", "-mr", "-seconds", "2", "rsa2048"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  // `+F2:2:2048:SIGNATURES:VERIFICATIONS`, each a number a second.
  const row = output.split("\n").find((line) => line.startsWith("+F2:"));
  if (!row) throw new Error(`openssl speed printed no figure of RSA:\n${output}`);
  const [signature, verification] = row.split(":").slice(3).map((perSecond) => 1e6 / Number(perSecond));
  return { signature, verification };
}

/** Microseconds of processor time, user and kernel, of appending a commit to a file and syncing it. */
export function fsyncUs() {
  const folder = mkdtempSync(join(tmpdir(), "bench-fsync-"));
  const file = openSync(join(folder, "log"), "w");
  try {
    const pages = Buffer.alloc(COMMIT_BYTES, 1);
    const before = process.cpuUsage();
    for (let commit = 0; commit < FSYNCS; commit += 1) {
      writeSync(file, pages);
      fdatasyncSync(file);
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / FSYNCS;
  } finally {
    closeSync(file);
    rmSync(folder, { recursive: true });
  }
}
