// The simulator as both clients of this folder see it: the merchant that it wrote to a folder, its
// control interface, and the merchant's own notify_url. It signs and reads nothing.

const assert = require("node:assert");
const { readFileSync } = require("node:fs");
const { createServer } = require("node:http");
const { join } = require("node:path");

const folder = process.argv[2];
const merchant = JSON.parse(readFileSync(join(folder, "merchant.json")));
const textOf = (name) => readFileSync(join(folder, merchant[name]), "utf8");
const holds = (what) => console.log("holds:", what);

async function control(path, body) {
  const reply = await fetch(`${merchant.base_url}/_simulator/${path}`, {
    method: "POST",
    body: JSON.stringify(body),
  });
  const text = await reply.text();
  assert.equal(reply.status, 200, text);
  return JSON.parse(text);
}

/// The merchant's notify_url: keeps what `read` makes of each notification until it is taken, and
/// answers it by `acknowledge`.
function inbox(read, acknowledge) {
  const waiting = [];
  const received = [];
  const server = createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      const notification = read(request.headers, Buffer.concat(parts).toString());
      const reader = waiting.shift();
      if (reader) reader(notification);
      else received.push(notification);
      acknowledge(response);
    });
  });
  const next = () =>
    received.length ? Promise.resolve(received.shift()) : new Promise((read) => waiting.push(read));
  return new Promise((ready) => server.listen(0, "127.0.0.1", () => ready({ server, next })));
}

module.exports = { control, holds, inbox, merchant, textOf };
