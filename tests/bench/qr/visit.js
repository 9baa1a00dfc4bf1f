// One visit of a subject's page, in a browser context of its own.
import { REPORT, watchScript } from "./watch.js";

const REPORT_LIMIT_MS = 30_000;

/** A page that is on its way, and what it reports. */
export class Visit {
  #reports = new Map();
  #received = new Map();
  #requests = new Map();

  /**
   * @param {import("./chromium.js").Chromium} browser
   * @param {import("./subjects.js").Subject} subject
   * @param {object} [options]
   * @param {object} [options.network] as `Network.emulateNetworkConditions` takes it
   * @param {number} [options.cpuSlowdown]
   * @param {string} [options.script] runs before all others
   * @param {number} [options.minutes] how long the buyer needs
   */
  static async start(browser, subject, { network, cpuSlowdown = 1, script, minutes } = {}) {
    const visit = new Visit();
    visit.subject = subject;
    visit.opened = await subject.open(minutes);
    visit.page = await browser.openPage();
    const { page } = visit;
    page.on("Network.requestWillBeSent", ({ requestId, request, timestamp }) => {
      visit.#requests.set(requestId, { method: request.method, url: request.url, sentAt: timestamp, bytes: 0 });
    });
    page.on("Network.responseReceived", ({ requestId, timestamp }) => visit.#note(requestId, { headAt: timestamp }));
    page.on("Network.loadingFinished", ({ requestId, timestamp, encodedDataLength }) => {
      visit.#note(requestId, { endAt: timestamp, bytes: encodedDataLength });
    });
    page.on("Runtime.bindingCalled", ({ name, payload }) => {
      if (name === REPORT) visit.#take(JSON.parse(payload));
    });
    await page.call("Network.enable");
    if (network) await page.call("Network.emulateNetworkConditions", { offline: false, ...network });
    if (cpuSlowdown > 1) await page.call("Emulation.setCPUThrottlingRate", { rate: cpuSlowdown });
    await page.call("Performance.enable");
    await page.call("Runtime.enable");
    await page.call("Page.enable");
    await page.call("Runtime.addBinding", { name: REPORT });
    if (script) await page.call("Page.addScriptToEvaluateOnNewDocument", { source: script });
    await page.call("Page.addScriptToEvaluateOnNewDocument", { source: watchScript(subject.conditions) });
    await page.call("Page.navigate", { url: visit.opened.url });
    return visit;
  }

  /** When a condition of the subject became true; fails if it does not in time. */
  async until(name) {
    const received = this.#received.get(name);
    if (received) return received;
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${this.subject.name}: no ${name} within ${REPORT_LIMIT_MS / 1000} s at ${this.opened.url}`)), REPORT_LIMIT_MS);
    });
    const report = new Promise((resolve) => this.#reports.set(name, resolve));
    return Promise.race([report, late]).finally(() => clearTimeout(timer));
  }

  /** How many requests have been sent until now. */
  get requests() {
    return this.#requests.size;
  }

  /**
   * The first requests, or all: what has arrived of each until now, heads included, and when, in
   * milliseconds from the first one.
   */
  traffic(count = this.requests) {
    const requests = [...this.#requests.values()].slice(0, count);
    const ms = (at) => (at === undefined ? undefined : (at - requests[0].sentAt) * 1000);
    return requests.map(({ method, url, bytes, sentAt, headAt, endAt }) => ({
      method, path: new URL(url).pathname, bytes, sentMs: ms(sentAt), headMs: ms(headAt), endMs: ms(endAt),
    }));
  }

  /** How long the main thread has worked until now, and how long of that for scripts. */
  async mainThread() {
    const { metrics } = await this.page.call("Performance.getMetrics");
    const seconds = (name) => metrics.find((metric) => metric.name === name).value;
    return { tasksMs: seconds("TaskDuration") * 1000, scriptMs: seconds("ScriptDuration") * 1000 };
  }

  /** How far the page has shifted until now: the sum of all shifts, which CLS is never above. */
  layoutShift() {
    return this.page.evaluate("layoutShift");
  }

  close() {
    return this.page.close();
  }

  #note(requestId, what) {
    const request = this.#requests.get(requestId);
    // What was asked for before the page: nothing of it counts.
    if (request) Object.assign(request, what);
  }

  #take(report) {
    this.#received.set(report.name, report);
    this.#reports.get(report.name)?.(report);
  }
}
