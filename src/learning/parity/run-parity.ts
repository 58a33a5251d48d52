import { LearningError } from "../learning-error.ts";
import { readSafetensors } from "../safetensors.ts";
import {
  isOff,
  type ParityKind,
  type ReferenceFile,
  type ReplayOptions,
  type Tolerance,
  type UpdateError,
} from "./reference.ts";

/** How far off a file is at most, and where. */
export interface Worst {
  readonly error: number;
  readonly at: string;
  readonly update: number;
}

/** One file's updates, repeated. */
export interface ParityReport {
  readonly file: string;
  readonly passed: boolean;
  readonly kind?: string;
  readonly tolerance?: Tolerance;
  readonly weights?: Worst;
  readonly metrics?: Worst;
  readonly updates: readonly UpdateError[];
  /** Why nothing was compared. */
  readonly error?: string;
}

/** The kind of a file by its content. @throws LearningError `unknown-reference` */
export function kindOf(file: ReferenceFile, kinds: readonly ParityKind[]): ParityKind {
  const found = kinds.find((kind) => kind.recognises(file));
  if (found !== undefined) return found;
  const { algorithm } = file.metadata;
  const says = algorithm === undefined ? "names no algorithm" : `is of '${algorithm}'`;
  throw new LearningError(
    "unknown-reference",
    `${file.where} ${says}; recorded updates of ${kinds.map(({ name }) => name).join(", ")} can be repeated.`,
    "Give a safetensors file of one of these kinds.",
  );
}

/** Repeats a file's updates; whatever goes wrong is part of the report. */
export async function replayFile(
  file: { readonly name: string; read(): Promise<Uint8Array> },
  kinds: readonly ParityKind[],
  options: ReplayOptions = {},
): Promise<ParityReport> {
  try {
    const reference = { ...readSafetensors(await file.read(), file.name), where: file.name };
    const kind = kindOf(reference, kinds);
    const updates = await kind.replay(reference, options);
    const { tolerance } = kind;
    const passed = updates.length > 0 && !updates.some((update) => isOff(update, tolerance));
    const [weights, metrics] = [worstOf(updates, "weights"), worstOf(updates, "metrics")];
    const found = { ...(weights && { weights }), ...(metrics && { metrics }) };
    return { file: file.name, passed, kind: kind.name, tolerance, ...found, updates };
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return { file: file.name, passed: false, updates: [], error: said };
  }
}

function worstOf(updates: readonly UpdateError[], what: "weights" | "metrics"): Worst | undefined {
  const found = updates.flatMap((update) => {
    const one = update[what];
    return one === undefined ? [] : [{ ...one, update: update.update }];
  });
  return found.reduce<Worst | undefined>(
    (worst, one) => (worst === undefined || one.error > worst.error ? one : worst),
    undefined,
  );
}

/** `ok   NAME (KIND): weights within 3.0e-8 (net.0.weight[3], update 6), figures within …`. */
export function describeParity(report: ParityReport): string {
  const { file, error } = report;
  const head = `${report.passed ? "ok  " : "FAIL"} ${file}`;
  if (error !== undefined) return error.startsWith(file) ? `FAIL ${error}` : `${head}: ${error}`;
  const part = (name: string, worst: Worst | undefined, most: number | undefined) =>
    worst === undefined
      ? []
      : [
          `${name} off by ${worst.error.toExponential(1)} of ${most} at ${worst.at}, update ${worst.update}`,
        ];
  const parts = [
    ...part("weights", report.weights, report.tolerance?.weights),
    ...part("figures", report.metrics, report.tolerance?.metrics),
  ];
  return `${head} (${report.kind}, ${report.updates.length} updates): ${parts.join("; ") || "nothing to compare"}`;
}
