/** Explains problems, for the merchant's engineer; see `problems.js`. */

export interface Explanation {
  cause: string;
  fix: string;
}

export interface InBoth {
  zh: Explanation;
  en: Explanation;
}

export const BY_CODE: Record<string, InBoth>;
export const BY_WORDS: (InBoth & { says: string })[];
export const BY_SYMPTOM: (InBoth & { seen: { zh: string; en: string } })[];
export function explain(
  problem: { code: string; raw?: string | null },
  language?: string,
): Explanation | null;
