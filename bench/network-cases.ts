/** What is measured of a network, here and at the peer: the same cases under the same names. */
import type { CompileMode } from "../src/engine/compile/compile.ts";
import type { Device } from "../src/engine/engine.ts";

/**
 * A network 12 – h – h – h – 4, behind a GRU of h where it unrolls; of TD3+BC all six, with two hidden layers,
 * for 17 observations and 6 actions.
 */
export interface Case {
  /** `both`: two of them act on the same observations, as a student and its teacher do. */
  readonly kind: "act" | "both" | "step" | "unroll" | "td3_bc" | "td3_bc with LayerNorm";
  /** That go through it at once; when it unrolls, in each of 15 time steps. */
  readonly rows: number;
  readonly width: number;
}

export const cases: readonly Case[] = [
  ...(["act", "both"] as const).flatMap((kind) =>
    [100, 1000, 4096].map((rows) => ({ kind, rows, width: 128 }) as const),
  ),
  ...[128, 256].flatMap((width) =>
    [100, 1500, 4096].map((rows) => ({ kind: "step", rows, width }) as const),
  ),
  ...[100, 1000].map((rows) => ({ kind: "unroll", rows, width: 128 }) as const),
  ...(["td3_bc", "td3_bc with LayerNorm"] as const).map(
    (kind) => ({ kind, rows: 256, width: 256 }) as const,
  ),
];

/** Big batches take seconds there. */
export const lightCases = cases.filter((one) => acts(one) || one.rows < 1000);

export function acts({ kind }: Case): boolean {
  return kind === "act" || kind === "both";
}

export function learnsOffline({ kind }: Pick<Case, "kind">): boolean {
  return kind.startsWith("td3_bc");
}

export function nameOf({ kind, rows, width }: Case): string {
  const shape = `h = ${width}`;
  if (kind === "unroll") return `optimiser step through 15 of a GRU, N = ${rows}, ${shape}`;
  if (learnsOffline({ kind })) return `${kind} update, batch ${rows}, ${shape}`;
  if (kind === "step") return `optimiser step, batch ${rows}, ${shape}`;
  return `${kind === "act" ? "act" : "act of two"}, N = ${rows}, ${shape}`;
}

export interface NetworkJob {
  readonly device: Device;
  readonly threads: number;
  readonly compile: CompileMode;
  readonly cases: readonly Case[];
  /** For each case. */
  readonly seconds: number;
}

export interface NetworkFigures {
  readonly engine: string;
  /** Median milliseconds by case. */
  readonly milliseconds: Readonly<Record<string, number>>;
}
