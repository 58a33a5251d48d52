import { DatasetError } from "./dataset-error.ts";
import type { Ending } from "./recorded-flights.ts";
import type { RowReader } from "./row-reader.ts";

const PIECE = 65_536;
const reward = new Float64Array(PIECE);
const flag = new Uint8Array(1);

/** Episodes that are looked at together. */
const TOGETHER = 64;

/**
 * Has the arrays of this episode and those behind it looked at together.
 *
 * @param read those that are read when they are small; seen: those of which only the shape counts
 */
export function expectEpisodes(
  reader: RowReader,
  names: readonly string[],
  {
    episode,
    read,
    seen,
  }: {
    readonly episode: number;
    readonly read: readonly string[];
    readonly seen: readonly string[];
  },
): void {
  if (episode % TOGETHER !== 0) return;
  const next = names.slice(episode, episode + TOGETHER);
  const all = (arrays: readonly string[]) =>
    next.flatMap((name) => arrays.map((array) => `${name}/${array}`));
  reader.expect(all(seen), "without-rows");
  reader.expect(all(read), "with-rows");
}

/** Undiscounted return, in double precision. @throws DatasetError for a reward that is not a number */
export function rewardSum(
  reader: RowReader,
  path: string,
  episode: { readonly rows: number; readonly name: string },
): number {
  let total = 0;
  for (let from = 0; from < episode.rows; from += PIECE) {
    const count = Math.min(PIECE, episode.rows - from);
    reader.read(path, { from, count, width: 1 }, reward, 0);
    for (let i = 0; i < count; i += 1) total += reward[i]!;
  }
  return total;
}

/** How an episode ended, by its last flags; a death wins over a time-out at the same step. */
export function endsOf(
  reader: RowReader,
  steps: number,
  [terminations, truncations]: readonly [string, string],
): Ending {
  if (steps === 0) return "unfinished";
  if (lastFlag(reader, terminations, steps)) return "terminated";
  return lastFlag(reader, truncations, steps) ? "truncated" : "unfinished";
}

export function lastFlag(reader: RowReader, path: string, steps: number): boolean {
  const { rows } = reader.table(path);
  if (rows !== steps) {
    throw new DatasetError(
      "lengths-disagree",
      `${reader.file.path}: ${path} has ${rows} rows, the episode ${steps} steps`,
      "Every array of an episode has one row for each step; record it again or cut it out.",
    );
  }
  reader.read(path, { from: steps - 1, count: 1, width: 1 }, flag, 0);
  return flag[0] !== 0;
}

/** The same table linked a thousand times must not make a small file endless. */
export function checkSteps(reader: RowReader, steps: number): void {
  if (steps <= 1100 * reader.file.bytes) return;
  throw new DatasetError(
    "implausible-size",
    `${reader.file.path} claims ${steps} steps or more in ${reader.file.bytes} bytes`,
    "Its header is damaged, or made to mislead; copy or record it again.",
  );
}
