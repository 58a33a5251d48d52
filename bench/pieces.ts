/** Measurements that take hours: each piece is kept, so that one can be cut short and go on where it was. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** As it was measured before, or now, in a folder of its own that is gone afterwards. */
export async function keptPiece<T>(
  path: string,
  measure: (folder: string) => Promise<T>,
): Promise<T> {
  if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8")) as T;
  const folder = mkdtempSync(join(tmpdir(), "firstsolo-bench-"));
  try {
    const piece = await measure(folder);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${JSON.stringify(piece)}\n`);
    return piece;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, one) => sum + one, 0) / values.length;
}

/** Student's t for 95 %, by degrees of freedom from 1. */
const students = [12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

/** Half the width of the 95 % interval in which the mean of so few values lies. */
export function interval(values: readonly number[]): number {
  const count = values.length;
  const mean = meanOf(values);
  const squares = values.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  const t = students[count - 2] ?? 1.96;
  return (t * Math.sqrt(squares / (count - 1))) / Math.sqrt(count);
}

/** Mean ± 95 % over seeds, for a table. */
export function spread(values: readonly number[], digits: number): string {
  const mean = meanOf(values).toFixed(digits);
  return values.length > 1 ? `${mean} ± ${interval(values).toFixed(digits)}` : `${mean} (one seed)`;
}
