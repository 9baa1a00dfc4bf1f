// The limit of an attempt: two RSA-2048 signatures, as OpenSSL makes them on this machine.
import { execFileSync } from "node:child_process";

/** Microseconds of one RSA-2048 signature. */
export function signatureUs() {
  const output = execFileSync("openssl", ["speed", "-mr", "-seconds", "2", "rsa2048"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  // `+F2:2:2048:SIGNATURES:VERIFICATIONS`, each a number a second.
  const row = output.split("\n").find((line) => line.startsWith("+F2:"));
  if (!row) throw new Error(`openssl speed printed no figure of RSA:\n${output}`);
  return 1e6 / Number(row.split(":")[3]);
}
