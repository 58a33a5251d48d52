import type { Frame } from "../../protocol/frame.ts";
import { readBytes } from "../checkpoint/checkpoint-file.ts";
import type { NamedArrays } from "../named-array.ts";
import { groupsIn, type ReadsChoice } from "../observation-groups.ts";
import type { Flown, Memory, Policy } from "../policy.ts";
import { CheckpointError } from "../policy-error.ts";
import { Random } from "../random.ts";
import { gatherGroups, startedAnew } from "../rows.ts";
import { withFreeBatch } from "./free-batch.ts";
import { inlineWeights } from "./inline-weights.ts";
import {
  hasForm,
  type ModelForm,
  memoryInputs,
  memoryWidths,
  modelForm,
  type PortChoice,
  storeMemory,
} from "./model-memory.ts";
import { type OnnxSession, openOnnx } from "./onnx-runtime.ts";
import { damagedOnnx, type OnnxFacts, readOnnx, refuseOthers } from "./read-onnx.ts";

export interface LoadedOnnx {
  readonly path: string;
  /** The whole model. */
  readonly bytes: Uint8Array;
  readonly facts: OnnxFacts;
  readonly policy: Policy;
  /** What a person should know. */
  readonly notes: readonly string[];
}

/** Bytes of a model. */
const LARGEST = 2 ** 27;
/** Rows that are tried when a model is loaded. */
const TRIED = 3;
/** Between rows flown together and one by one. */
const SAME = 1e-4;

/** By its name: an ONNX file has no mark of its own inside. */
export function isOnnxPath(path: string): boolean {
  return path.toLowerCase().endsWith(".onnx");
}

/** A model with all its weights, also those that lie in a file beside it. @throws CheckpointError */
export async function readOnnxFile(path: string): Promise<Uint8Array> {
  const bytes = await readBytes(path, LARGEST);
  refuseOthers(bytes, path);
  return inlineWeights(bytes, path);
}

/**
 * Reads an ONNX policy and makes it fly. @throws CheckpointError for the file, PolicyError
 * `no-onnxruntime`
 */
export async function loadOnnx(
  path: string,
  reads: OnnxOptions["reads"],
  ports: PortChoice = {},
): Promise<LoadedOnnx> {
  const bytes = await readOnnxFile(path);
  return { path, bytes, ...(await createOnnxPolicy(bytes, { reads, where: path, ports })) };
}

/** The same for a model in memory. */
export async function createOnnxPolicy(
  bytes: Uint8Array,
  { reads: wanted, where, ports = {} }: OnnxOptions,
): Promise<Pick<LoadedOnnx, "facts" | "policy" | "notes">> {
  const facts = readOnnx(bytes, where);
  const reads = typeof wanted === "function" ? wanted(groupsIn(facts.metadata)) : wanted;
  const form = modelForm(facts.inputs, facts.outputs, where, ports);
  const held = form.held.map(({ name }) => name.slice(0, 60)).join(", ");
  const told = held === "" ? [] : [`its further inputs are held at 0: ${held}`];
  const base = { form, reads, where };
  const single = new OnnxPolicy(await openOnnx(bytes, where), { ...base, together: false });
  try {
    const expected = await trialOf(single);
    const together = await flyingTogether(bytes, base, expected);
    if (together === undefined) {
      const note = "its graph computes one environment at a time, so that many are slow";
      return { facts, policy: single, notes: [...told, note] };
    }
    single.dispose();
    return { facts, policy: together, notes: told };
  } catch (error) {
    single.dispose();
    throw error;
  }
}

export interface OnnxOptions {
  /** Observation groups, or who chooses them by those that the file says it was trained on. */
  readonly reads: readonly string[] | ReadsChoice;
  /** What to call the file in messages. */
  readonly where: string;
  /** Where the model has several inputs or outputs. */
  readonly ports?: PortChoice;
}

interface Base {
  readonly form: ModelForm;
  readonly reads: readonly string[];
  readonly where: string;
}

/** The model with its number of rows left open, where it then does the same. */
async function flyingTogether(
  bytes: Uint8Array,
  base: Base,
  expected: readonly Float32Array[],
): Promise<Policy | undefined> {
  let policy: OnnxPolicy | undefined;
  try {
    const free = withFreeBatch(bytes, (what) => damagedOnnx(base.where, what));
    policy = new OnnxPolicy(await openOnnx(free, base.where), { ...base, together: true });
    const found = await trialOf(policy);
    const same = found.every((values, i) =>
      values.every((value, j) => {
        const wanted = expected[i]![j]!;
        return Math.abs(value - wanted) <= SAME * Math.max(1, Math.abs(wanted));
      }),
    );
    if (same) return policy;
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
  }
  policy?.dispose();
  return undefined;
}

/** Actions and memory of two steps. @throws CheckpointError `not-finite` */
async function trialOf(policy: OnnxPolicy): Promise<readonly Float32Array[]> {
  const random = new Random(1);
  const length = TRIED * policy.observationWidth;
  const started = new Uint8Array(TRIED);
  const results: Float32Array[] = [];
  let memory = policy.initialMemory(TRIED);
  for (let step = 0; step < 2; step++) {
    const seen = Float32Array.from({ length }, random.normal);
    const flown = await policy.actOn(seen, startedAnew(memory, policy.memoryWidths, started));
    memory = flown.memory;
    results.push(flown.actions, ...memory);
  }
  if (results.every((values) => values.every(Number.isFinite))) return results;
  throw new CheckpointError(
    "not-finite",
    `${policy.where}: actions or memory are not finite for observations of unit size`,
    "The training had diverged, or the file is damaged: export an earlier checkpoint.",
  );
}

interface OnnxPolicyOptions extends Base {
  /** All rows in one run, or one after the other. */
  readonly together: boolean;
}

class OnnxPolicy implements Policy {
  readonly reads: readonly string[];
  readonly observationWidth: number;
  readonly actionWidth: number;
  readonly memoryWidths: readonly number[];
  readonly where: string;
  readonly #session: OnnxSession;
  readonly #form: ModelForm;
  readonly #together: boolean;

  constructor(session: OnnxSession, { form, reads, where, together }: OnnxPolicyOptions) {
    this.#session = session;
    this.#form = form;
    this.#together = together;
    this.reads = reads;
    this.where = where;
    this.observationWidth = form.observationWidth;
    this.actionWidth = form.actionWidth;
    this.memoryWidths = memoryWidths(form);
  }

  initialMemory(numEnvs: number): Memory {
    return this.memoryWidths.map((width) => new Float32Array(numEnvs * width));
  }

  async act(frame: Frame, memory: Memory): Promise<Flown> {
    const seen = gatherGroups(this, frame.observations, frame.started.length);
    return this.actOn(seen, startedAnew(memory, this.memoryWidths, frame.started));
  }

  /** @param memory is written into, and given back */
  async actOn(seen: Float32Array, memory: Memory): Promise<Flown> {
    const rows = seen.length / this.observationWidth;
    const actions = new Float32Array(rows * this.actionWidth);
    const share = this.#together ? rows : 1;
    for (let from = 0; from < rows; from += share) {
      const outputs = await this.#run(seen, memory, { from, rows: share });
      actions.set(outputs[this.#form.actions]!.data, from * this.actionWidth);
      storeMemory(this.#form, memory, outputs, { from, rows: share });
    }
    return { actions, memory };
  }

  dispose(): void {
    this.#session.dispose();
  }

  async #run(
    seen: Float32Array,
    memory: Memory,
    part: { readonly from: number; readonly rows: number },
  ): Promise<NamedArrays> {
    const { from, rows } = part;
    const width = this.observationWidth;
    const data = seen.slice(from * width, (from + rows) * width);
    const states = memoryInputs(this.#form, memory, part);
    const { observations, held } = this.#form;
    const given = { [observations]: { shape: [rows, width], data } };
    const outputs = await this.#session.run({ ...given, ...states }, { held, rows });
    if (hasForm(this.#form, outputs, rows)) return outputs;
    throw new CheckpointError(
      "not-a-policy",
      `${this.where}: its outputs are not of the sizes it announces`,
      "Give a policy.onnx as rsl_rl or Isaac Lab exports it.",
    );
  }
}
