import { wordsOf } from "../../../protocol/visible.ts";
import { LearningError } from "../learning-error.ts";
import { readSafetensors } from "../safetensors.ts";
import { type DocumentKind, isJson, readDocument, type Unit } from "./document.ts";
import { heldElsewhere } from "./held-elsewhere.ts";
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
  /** What was repeated; absent: updates. */
  readonly unit?: Unit;
  readonly tolerance?: Tolerance;
  readonly weights?: Worst;
  readonly metrics?: Worst;
  readonly counts?: Worst;
  readonly updates: readonly UpdateError[];
  /** Why nothing need be repeated, and where it is held against ours. */
  readonly skipped?: string;
  /** Why nothing was compared. */
  readonly error?: string;
}

export type AnyKind = ParityKind | DocumentKind;

/** The kind of a file by its content. @throws LearningError `unknown-reference` */
function kindOf(file: ReferenceFile, all: readonly AnyKind[]): ParityKind {
  const kinds = all.filter((kind): kind is ParityKind => !("form" in kind));
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

function documentKindOf(bytes: Uint8Array, where: string, all: readonly AnyKind[]) {
  const kinds = all.filter((kind): kind is DocumentKind => "form" in kind);
  const file = readDocument(bytes, where);
  const kind = kinds.find(({ recognises }) => recognises(file.document));
  if (kind !== undefined) return { file, kind };
  const keys = Object.keys(file.document).slice(0, 8).join(", ") || "nothing";
  throw new LearningError(
    "unknown-reference",
    `${where} is a JSON document of ${keys}; recorded results of ${kinds.map(({ name }) => name).join(", ")} can be repeated.`,
    "Give a JSON document of one of these kinds.",
  );
}

/** A file to be repeated. */
export interface ParityInput {
  readonly name: string;
  read(): Promise<Uint8Array>;
  /** Another file in its folder. */
  beside?(name: string): Promise<Uint8Array>;
}

async function replayed(
  { name, bytes, beside }: Omit<ParityInput, "read"> & { readonly bytes: Uint8Array },
  kinds: readonly AnyKind[],
  options: ReplayOptions,
) {
  if (isJson(bytes)) {
    const { file: alone, kind } = documentKindOf(bytes, name, kinds);
    const file = beside === undefined ? alone : { ...alone, beside };
    const tolerance = kind.toleranceOf?.(file) ?? kind.tolerance;
    return { kind, tolerance, updates: await kind.replay(file, options) };
  }
  const file = { ...readSafetensors(bytes, name), where: name };
  const kind = kindOf(file, kinds);
  return { kind, tolerance: kind.tolerance, updates: await kind.replay(file, options) };
}

/** Repeats a file's updates; whatever goes wrong is part of the report. */
export async function replayFile(
  file: ParityInput,
  kinds: readonly AnyKind[],
  options: ReplayOptions = {},
): Promise<ParityReport> {
  try {
    const read = { ...file, bytes: await file.read() };
    const skipped = skippedIn(read.bytes, file.name);
    if (skipped !== undefined) return { file: file.name, passed: true, skipped, updates: [] };
    const { kind, tolerance, updates } = await replayed(read, kinds, options);
    const passed = updates.length > 0 && !updates.some((update) => isOff(update, tolerance));
    const parts = ["weights", "metrics", "counts"] as const;
    const worst = parts.map((part) => [part, worstOf(updates, part)] as const);
    const found = Object.fromEntries(worst.filter(([, one]) => one !== undefined));
    const unit = "unit" in kind ? { unit: kind.unit } : {};
    return { file: file.name, passed, kind: kind.name, ...unit, tolerance, ...found, updates };
  } catch (error) {
    const said = wordsOf(error);
    return { file: file.name, passed: false, updates: [], error: said };
  }
}

function skippedIn(bytes: Uint8Array, name: string): string | undefined {
  if (isJson(bytes)) {
    const { document } = readDocument(bytes, name);
    return heldElsewhere(Object.keys(document), document);
  }
  return heldElsewhere(Object.keys(readSafetensors(bytes, name).arrays), undefined);
}

function worstOf(
  updates: readonly UpdateError[],
  what: "weights" | "metrics" | "counts",
): Worst | undefined {
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
  const { file, error, skipped } = report;
  if (skipped !== undefined) return `SKIP ${file} ${skipped}`;
  const head = `${report.passed ? "ok  " : "FAIL"} ${file}`;
  if (error !== undefined) return error.startsWith(file) ? `FAIL ${error}` : `${head}: ${error}`;
  const { unit: { one, many } = { one: "update", many: "updates" }, tolerance } = report;
  const part = (name: string, worst: Worst | undefined, most: number | undefined) =>
    worst === undefined
      ? []
      : [
          `${name} off by ${worst.error.toExponential(1)} of ${most} at ${worst.at}, ${one} ${worst.update}`,
        ];
  const parts = [
    ...part("weights", report.weights, tolerance?.weights),
    ...part("figures", report.metrics, tolerance?.metrics),
    ...part("counts", report.counts, 0),
  ];
  return `${head} (${report.kind}, ${report.updates.length} ${many}): ${parts.join("; ") || "nothing to compare"}`;
}
