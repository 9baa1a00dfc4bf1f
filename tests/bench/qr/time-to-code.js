// From the navigation to the frame in which the code can be scanned: cold cache, one page after the
// other in turn, so that what slows the machine down for a while slows all of them.
import { Visit } from "./visit.js";

/** Loopback as it is; and a phone's slow network on a machine with a quarter of the speed. */
export const PROFILES = [
  { name: "loopback", network: undefined, cpuSlowdown: 1 },
  {
    name: "slow 4G, CPU/4",
    network: { latency: 150, downloadThroughput: 1_600_000 / 8, uploadThroughput: 750_000 / 8 },
    cpuSlowdown: 4,
  },
];

const SETTLING_MS = 300;

/**
 * @param {(png: Buffer) => string | undefined} scan reads the code off a screenshot
 * @returns by the subject's name, each figure of each round
 */
export async function timeToCode(browser, subjects, profile, { rounds, scan }) {
  const figures = Object.fromEntries(subjects.map(({ name }) => [name, []]));
  // The first round warms the servers and the browser up, and proves that the codes are codes.
  for (let round = 0; round <= rounds; round++) {
    for (const subject of subjects) {
      const visit = await Visit.start(browser, subject, profile);
      const { paintedAt } = await visit.until("code");
      const { requests } = visit;
      const { tasksMs, scriptMs } = await visit.mainThread();
      if (round === 0) await mustScan(visit, scan);
      // The end of an answer is reported a moment after its text was used.
      await new Promise((resolve) => setTimeout(resolve, SETTLING_MS));
      const [traffic, layoutShift] = [visit.traffic(requests), await visit.layoutShift()];
      const receivedBytes = traffic.reduce((sum, { bytes }) => sum + bytes, 0);
      if (round > 0) figures[subject.name].push({ codeMs: paintedAt, requests, receivedBytes, tasksMs, scriptMs, layoutShift, traffic });
      await visit.close();
    }
  }
  return figures;
}

async function mustScan(visit, scan) {
  const { data } = await visit.page.call("Page.captureScreenshot", { format: "png" });
  const text = scan(Buffer.from(data, "base64"));
  if (!text?.startsWith("weixin://")) {
    throw new Error(`${visit.subject.name}: the page says that its code stands, and no scanner reads it (${text})`);
  }
}
