// From a notification's arrival at the merchant's address to the frame in which the page says *paid*;
// and how far the page has shifted in its whole life until then.
import { Visit } from "./visit.js";

const WAITING_MS = 200;
const SETTLING_MS = 100;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Payments one after the other, each on a page of its own. */
export async function timeToPaid(browser, subject, payments) {
  const figures = [];
  for (let payment = 0; payment < payments; payment++) {
    const visit = await Visit.start(browser, subject);
    await visit.until("code");
    // The page has begun to wait. The moments are spread, so that none keeps step with a page that
    // asks every so many seconds.
    await sleep(WAITING_MS + Math.random() * subject.asksEveryMs);
    const knownAt = await visit.opened.pay();
    const { wallClock } = await visit.until("paid");
    // A shift is reported after its frame.
    await sleep(SETTLING_MS);
    figures.push({ paidMs: wallClock - knownAt, layoutShift: await visit.layoutShift() });
    await visit.close();
  }
  return figures;
}
