// Chromium without a window, spoken to over a pipe (Chrome DevTools Protocol). Nothing is emulated
// that no test opened: a tab behind another one is hidden, as it is to a buyer.
import { spawn } from "node:child_process";
import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// What is not measured is switched off: updates, background calls, and the sandbox, which root
// cannot have.
const FLAGS = [
  "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
  "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1000,900",
];

/** A running browser; `close` ends it. */
export class Chromium {
  #process;
  #profile = mkdtempSync(join(tmpdir(), "bench-chromium-"));
  #lastId = 0;
  #calls = new Map();
  #sessions = new Map();
  #isClosing = false;

  /** @param {string} program */
  constructor(program) {
    this.events = new EventEmitter();
    this.#process = spawn(
      program,
      [...FLAGS, "--remote-debugging-pipe", `--user-data-dir=${this.#profile}`, "about:blank"],
      { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] },
    );
    this.#process.on("error", (error) => this.#fail(error));
    this.#process.on("exit", (code) => this.#fail(new Error(`Chromium ended by itself (${code})`)));
    let unread = "";
    this.#process.stdio[4].setEncoding("utf8").on("data", (text) => {
      const messages = (unread + text).split("\0");
      unread = messages.pop();
      for (const message of messages) this.#take(JSON.parse(message));
    });
  }

  /** Calls a method of the browser, or of one page by its session. */
  call(method, parameters = {}, sessionId = undefined) {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject, method });
      this.#process.stdio[3].write(`${JSON.stringify({ id, method, params: parameters, sessionId })}\0`);
    });
  }

  /** A page in a context of its own: no cache, no cookie, no connection of any other. */
  async openPage() {
    const { browserContextId } = await this.call("Target.createBrowserContext");
    return this.#attach(browserContextId, { newWindow: true });
  }

  /** A tab in the window of a page, in front of it. */
  openTabBefore(page) {
    return this.#attach(page.browserContextId, {});
  }

  async close() {
    this.#isClosing = true;
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill();
    await ended;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }

  async #attach(browserContextId, options) {
    const { targetId } = await this.call("Target.createTarget", { url: "about:blank", browserContextId, ...options });
    const { sessionId } = await this.call("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page(this, { browserContextId, targetId, sessionId });
    this.#sessions.set(sessionId, page);
    // A server may take one without a window for a robot.
    const { userAgent } = await this.call("Browser.getVersion");
    await page.call("Emulation.setUserAgentOverride", { userAgent: userAgent.replace("HeadlessChrome", "Chrome") });
    return page;
  }

  #take({ id, method, params, result, error, sessionId }) {
    if (id === undefined) {
      const target = sessionId ? this.#sessions.get(sessionId)?.events : this.events;
      target?.emit(method, params);
      return;
    }
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (error) call?.reject(new Error(`${call.method}: ${error.message}`));
    else call?.resolve(result);
  }

  #fail(error) {
    for (const { reject } of this.#calls.values()) reject(error);
    this.#calls.clear();
    // If no call waits for an answer, this error is the only sign.
    if (!this.#isClosing) throw error;
  }
}

/** A page of the browser. */
class Page {
  #browser;

  constructor(browser, { browserContextId, targetId, sessionId }) {
    Object.assign(this, { browserContextId, targetId, sessionId, events: new EventEmitter() });
    this.#browser = browser;
  }

  call(method, parameters = {}) {
    return this.#browser.call(method, parameters, this.sessionId);
  }

  on(event, listener) {
    this.events.on(event, listener);
  }

  /** The value of an expression in the page. */
  async evaluate(expression) {
    const { result, exceptionDetails } = await this.call("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
    return result.value;
  }

  /** Ends the page with its whole context. */
  close() {
    return this.#browser.call("Target.disposeBrowserContext", { browserContextId: this.browserContextId });
  }
}
