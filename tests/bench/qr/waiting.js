// What a page costs while the buyer looks for the phone: wake-ups and bytes of one minute, seen and
// hidden; and the memory after an hour, by a clock that runs fast.
import { Visit } from "./visit.js";
import { fastClockScript } from "./watch.js";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const HOUR_SPEED = 120;
/** What belongs to the arrival and not to the wait: animations, the first poll. */
const SETTLING_MS = 2000;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Tasks with less than this between them are one wake-up. */
const IDLE_MS = 5;

/**
 * One minute of waiting for all subjects side by side: each page has a process of its own, and counts,
 * not times, are taken.
 * @returns by the subject's name
 */
export async function minuteOfWaiting(browser, subjects) {
  const rows = await Promise.all(subjects.map(async (subject) => ({
    name: subject.name,
    visible: await settled(browser, subject),
    hidden: await hidden(browser, subject),
  })));
  const visits = rows.flatMap(({ visible, hidden }) => [visible, hidden]);
  await startTrace(browser, visits);
  const before = new Map(visits.map((visit) => [visit, traffic(visit)]));
  await sleep(MINUTE_MS);
  const after = new Map(visits.map((visit) => [visit, traffic(visit)]));
  const trace = await endTrace(browser);
  const figures = (visit) => ({
    bytes: after.get(visit).bytes - before.get(visit).bytes,
    requests: after.get(visit).requests - before.get(visit).requests,
    wakeUps: wakeUps(trace, visit.page),
  });
  for (const visit of visits) await visit.close();
  return Object.fromEntries(rows.map(({ name, visible, hidden }) => [name, { visible: figures(visible), hidden: figures(hidden) }]));
}

/**
 * The memory at the code, and after an hour of waiting by the page's own clock.
 * @returns by the subject's name, in bytes
 */
export async function heapOfWaiting(browser, subjects) {
  const script = fastClockScript(HOUR_SPEED);
  const rows = await Promise.all(subjects.map(async (subject) => {
    const visit = await settled(browser, subject, { script, minutes: 120 });
    return { name: subject.name, visit, atCode: await heapBytes(visit) };
  }));
  await sleep(HOUR_MS / HOUR_SPEED);
  const figures = {};
  for (const { name, visit, atCode } of rows) {
    await mustWait(visit);
    figures[name] = { atCode, afterHour: await heapBytes(visit) };
    await visit.close();
  }
  return figures;
}

async function settled(browser, subject, options) {
  const visit = await Visit.start(browser, subject, options);
  await visit.until("code");
  await sleep(SETTLING_MS);
  return visit;
}

async function hidden(browser, subject) {
  const visit = await settled(browser, subject);
  await browser.openTabBefore(visit.page);
  const until = Date.now() + 5000;
  while (await visit.page.evaluate("!document.hidden")) {
    if (Date.now() > until) throw new Error("a tab behind another one does not count as hidden");
    await sleep(20);
  }
  await sleep(SETTLING_MS);
  return visit;
}

/** After an hour the page must still show the code: the memory of a page that gave up says nothing. */
async function mustWait(visit) {
  const isWaiting = await visit.page.evaluate(`Boolean(${visit.subject.conditions.code})`);
  if (!isWaiting) throw new Error(`${visit.subject.name}: the code is gone within an hour of waiting`);
}

function traffic(visit) {
  return { requests: visit.requests, bytes: visit.traffic().reduce((sum, { bytes }) => sum + bytes, 0) };
}

async function heapBytes(visit) {
  await visit.page.call("HeapProfiler.collectGarbage");
  const { usedSize, embedderHeapUsedSize, backingStorageSize } = await visit.page.call("Runtime.getHeapUsage");
  return usedSize + embedderHeapUsedSize + backingStorageSize;
}

/** Traces all main threads, each marked with the page that it belongs to. */
async function startTrace(browser, visits) {
  await browser.call("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: { includedCategories: ["devtools.timeline", "disabled-by-default-devtools.timeline"], excludedCategories: ["*"] },
  });
  await Promise.all(visits.map(({ page }) => page.evaluate(`console.timeStamp("${page.targetId}")`)));
}

/** The trace's tasks and marks. */
async function endTrace(browser) {
  const events = [];
  browser.events.on("Tracing.dataCollected", ({ value }) => {
    events.push(...value.filter(({ name }) => name === "RunTask" || name === "TimeStamp"));
  });
  const complete = new Promise((resolve) => browser.events.once("Tracing.tracingComplete", resolve));
  await browser.call("Tracing.end");
  if ((await complete).dataLossOccurred) throw new Error("the trace is not whole");
  return events;
}

/** How often the page's main thread woke from idling. */
function wakeUps(trace, page) {
  const mark = trace.find(({ name, args }) => name === "TimeStamp" && args.data.message === page.targetId);
  const tasks = trace
    .filter(({ name, pid, tid, ts }) => name === "RunTask" && pid === mark.pid && tid === mark.tid && ts > mark.ts)
    .sort((a, b) => a.ts - b.ts);
  let count = 0;
  let busyUntil = mark.ts;
  for (const { ts, dur = 0 } of tasks) {
    if (ts > busyUntil + IDLE_MS * 1000) count++;
    busyUntil = Math.max(busyUntil, ts + dur);
  }
  return count;
}
