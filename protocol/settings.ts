import { ProtocolError } from "./errors.ts";

/** What one `env.*` override may hold. */
export type Scalar = string | number | boolean | null;
export type SettingValue = Scalar | readonly Scalar[];
/** Overrides by dotted name, without the `env.` in front. */
export type Settings = Readonly<Record<string, SettingValue>>;

/** Refuses settings a simulator does not know, naming the nearest one it does. @throws ProtocolError */
export function checkSettingNames(given: Settings, known: readonly string[]): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    const guess = near === undefined ? "" : ` Did you mean env.${near}?`;
    throw new ProtocolError("unknown-setting", "this simulator has no such setting", {
      field: `env.${name}`,
      hint: `Known: ${known.map((word) => `env.${word}`).join(", ") || "none"}.${guess}`,
    });
  }
}

/** The known word that takes the fewest single-letter edits, when they are few enough to be a slip. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let fewest = Math.ceil(word.length / 2) + 1;
  for (const candidate of known) {
    const edits = distance(word, candidate);
    if (edits < fewest) [best, fewest] = [candidate, edits];
  }
  return best;
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1);
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
