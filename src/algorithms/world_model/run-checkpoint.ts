import { z } from "zod";
import { readBytes } from "../../../policies/checkpoint/checkpoint-file.ts";
import { sealOf } from "../../../policies/checkpoint/seal.ts";
import { readTorchFile, writeTorchFile } from "../../../policies/checkpoint/torch-file.ts";
import { isDict, torchDict } from "../../../policies/checkpoint/torch-value.ts";
import type { NamedArray } from "../../../policies/named-array.ts";
import { Random } from "../../../policies/random.ts";
import type { EnvSpec } from "../../../protocol/spec.ts";
import { loadParameters } from "../../learning/parameters.ts";
import type { RunState } from "../../running/run-state.ts";
import { RunError } from "../../runs/run-error.ts";
import type { ActingChoice, SavedRun } from "../algorithm.ts";
import { checkFit } from "../fit.ts";
import { arraysIn, dictOf } from "../saved-arrays.ts";
import {
  checkedFacts,
  checkIteration,
  counter,
  damaged,
  progress,
  randomState,
  reads,
} from "../saved-facts.ts";
import { createWorldModel } from "./model.ts";
import { ModelProgram } from "./model-program.ts";
import type { PlannerName } from "./planner.ts";
import { groupNames } from "./plans.ts";
import { type WorldModelSettings, worldModelSettings } from "./settings.ts";
import { shapeOf, type WorldFacts } from "./world-facts.ts";
import { WorldModelPolicy } from "./world-model-policy.ts";

/** Bumped when what is kept changes so that an older reader would go wrong. */
const format = 1;

const numbers = z.array(z.number());
const scale = z
  .object({ mean: numbers, std: numbers })
  .refine(({ mean, std }) => mean.length === std.length, "is no scale");
const bounds = z
  .object({ low: numbers, high: numbers })
  .refine(({ low, high }) => low.length === high.length && low.length > 0, "are no bounds");

const world = z
  .object({
    ...{ reads, observations: scale, bounds, reward: scale, value: scale },
    levels: z.array(numbers.min(2)).min(1),
    heads: z.array(
      z.object({
        name: z.string().min(1),
        components: z.array(z.string()),
        columns: z.array(counter),
        scale,
      }),
    ),
  })
  .refine(({ levels, bounds: { low } }) => levels.length === low.length, "levels are missing");

const counters = z.looseObject({ updates: counter, random: randomState });

const schema = z.object({
  format: z.literal(format),
  algorithm: z.literal("world_model"),
  world,
  settings: z.object(worldModelSettings.shape),
  run: z.object({
    progress,
    plan: z.object({ told: z.string().nullable() }),
    watch: z.unknown().optional(),
    source: z.object({
      sampling: z.object({ windows: counter, random: randomState }),
      flown: z.object({ episodes: counter, steps: counter }),
    }),
    counters,
  }),
});

/** Of a checkpoint as it was read. */
export interface SavedWorld {
  readonly world: WorldFacts;
  readonly settings: WorldModelSettings;
  /** What the model said of some observations when it was written. */
  readonly example: { readonly observations: NamedArray; readonly said: NamedArray };
}

export interface WriteOptions {
  readonly facts: WorldFacts;
  readonly settings: WorldModelSettings;
  readonly program: ModelProgram;
}

/**
 * A file that torch reads: `world_model_state_dict` are the networks, all that a resume needs is in
 * `infos["firstsolo"]`: `facts`, JSON, and `arrays` by name (`parameters/GROUP/NAME`, `optimisers/…`, `example/…`).
 */
export async function bytesOf(
  { learner, source, ...run }: RunState,
  { facts: found, settings, program }: WriteOptions,
): Promise<Uint8Array> {
  const facts = {
    ...{ format, algorithm: "world_model", world: found, settings },
    run: { ...run, source: source.facts, counters: learner.counters },
  };
  const example = await exampleOf(found, settings, program);
  const arrays = { ...learner.arrays, ...example };
  const weights = Object.entries(learner.arrays)
    .filter(([name]) => name.startsWith("parameters/"))
    .map(([name, array]) => [name.split("/").slice(2).join("/"), array] as const);
  return writeTorchFile(
    torchDict({
      world_model_state_dict: dictOf(Object.fromEntries(weights)),
      iter: Math.max(0, run.progress.iteration - 1),
      infos: torchDict({
        firstsolo: torchDict({ facts: JSON.stringify(facts), arrays: dictOf(arrays) }),
      }),
    }),
  );
}

/** @throws RunError when the file is no checkpoint of such a run, or of a later format */
export async function readRun(path: string): Promise<SavedRun & { readonly own: SavedWorld }> {
  const bytes = await readBytes(path);
  if (sealOf(bytes) === "broken") throw damaged(path, "its digest is that of other bytes");
  const file = readTorchFile(bytes, path);
  const infos = isDict(file) ? file.get("infos") : undefined;
  const own = isDict(infos) ? infos.get("firstsolo") : undefined;
  const text = isDict(own) ? own.get("facts") : undefined;
  if (!isDict(file) || !isDict(own) || typeof text !== "string" || !isOfWorld(text)) {
    throw foreign(path);
  }
  const facts = checkedFacts(schema, text, { where: path, format });
  const { source, counters: counted, ...rest } = facts.run;
  checkIteration(rest.progress, Number(file.get("iter")), path);
  const { example, arrays } = split(arraysIn(own.get("arrays"), path), path);
  const learner = { arrays, counters: counted };
  const state: RunState = { ...rest, source: { facts: source, bytes: {} }, learner };
  const { world: found, settings } = facts;
  return { state, path, own: { world: found, settings, example } };
}

/** @throws RunError where the model no longer says what it said when it was saved */
export async function checkSaved({ own, path }: SavedRun, program: ModelProgram): Promise<void> {
  const { observations, said } = (own as SavedWorld).example;
  const rows = observations.shape[0]!;
  const { policies, values } = await program.represent(observations.data.slice(), rows);
  const now = [...policies, ...values];
  const off = said.data.findIndex((value, i) => !(Math.abs(value - now[i]!) <= 1e-4));
  if (off < 0 && now.length === said.data.length) return;
  throw damaged(
    path,
    `the model says ${now[off]} where it said ${said.data[off]} when it was saved`,
  );
}

/** What a checkpoint holds flies. */
export async function policiesOf(
  saved: SavedRun,
  spec: EnvSpec,
  { planner, tell, compile }: ActingChoice = {},
): Promise<{ readonly student: WorldModelPolicy }> {
  const { world: facts, settings } = saved.own as SavedWorld;
  const model = createWorldModel(shapeOf(facts), settings, { random: () => 0.5 });
  const groups = groupNames.map((name) => {
    return { name, owner: "frozen", parameters: model.parameters[name] };
  });
  const program = new ModelProgram(model, facts, compile);
  const release = () => {
    program.dispose();
    model.dispose();
  };
  try {
    loadParameters(groups, saved.state.learner.arrays);
    await checkSaved(saved, program);
    const plans = planner as PlannerName | undefined;
    const student = new WorldModelPolicy({
      ...{ program, facts, settings, planner: plans },
      release: (figures) => {
        tell?.(figures);
        release();
      },
    });
    checkFit("The run's student", student, spec);
    return { student };
  } catch (error) {
    release();
    throw error;
  }
}

async function exampleOf(
  { observations }: WorldFacts,
  { history }: WorldModelSettings,
  program: ModelProgram,
) {
  const width = observations.mean.length * history;
  const { normal } = new Random(1);
  const seen = Float32Array.from({ length: 4 * width }, normal);
  const { policies, values } = await program.represent(seen.slice(), 4);
  const said = Float32Array.of(...policies, ...values);
  return {
    "example/observations": { shape: [4, width], data: seen },
    "example/said": { shape: [said.length], data: said },
  };
}

function split(all: Record<string, NamedArray>, path: string) {
  const { "example/observations": observations, "example/said": said, ...arrays } = all;
  if (!observations || !said) throw damaged(path, "it holds no example of what the model says");
  return { arrays, example: { observations, said } };
}

function isOfWorld(text: string): boolean {
  return text.includes('"algorithm":"world_model"');
}

function foreign(path: string): RunError {
  return new RunError(
    "not-our-run",
    `${path} is no checkpoint of a model of the world: it lacks the state to go on from`,
    "Give a run of firstsolo, or a checkpoint in it.",
  );
}
