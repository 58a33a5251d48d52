import { z } from "zod";
import { createActorPolicy } from "../../../policies/checkpoint/actor-policy.ts";
import { readCheckpointFile } from "../../../policies/checkpoint/checkpoint-file.ts";
import { checkOwnExample } from "../../../policies/checkpoint/load-teacher.ts";
import { meanLayers } from "../../../policies/checkpoint/mean-layers.ts";
import { exampleEntries } from "../../../policies/checkpoint/own-facts.ts";
import type { PolicyCheckpoint } from "../../../policies/checkpoint/rsl-rl.ts";
import { floats, stateDict } from "../../../policies/checkpoint/state-dict.ts";
import { writeTorchFile } from "../../../policies/checkpoint/torch-file.ts";
import {
  isDict,
  isTensor,
  OrderedDict,
  type TorchValue,
  torchDict,
} from "../../../policies/checkpoint/torch-value.ts";
import { recordExample } from "../../../policies/flight-example.ts";
import type { GraphOptions } from "../../../policies/graph/build-graph.ts";
import type { NetworkPolicy } from "../../../policies/networks/network-policy.ts";
import type { Policy } from "../../../policies/policy.ts";
import type { Ranker } from "../../../policies/rankers/ranker.ts";
import type { EnvSpec } from "../../../protocol/spec.ts";
import type { RunState } from "../../running/run-state.ts";
import { RunError } from "../../runs/run-error.ts";
import type { SavedRun } from "../algorithm.ts";
import { checkLoadedFit } from "../fit.ts";
import { arraysIn } from "../saved-arrays.ts";
import {
  checkedFacts,
  checkIteration,
  counter,
  head,
  progress,
  randomState,
  reads,
  ruleName,
  vision,
} from "../saved-facts.ts";
import {
  factsOf,
  rankedEntries,
  rankedFacts,
  rankedPolicyOf,
  type SavedRanked,
} from "./slates/ranked-run.ts";
import type { Ranked } from "./slates/ranked-site.ts";

/** Bumped when what is kept changes so that an older reader would go wrong. */
const format = 1;

/** What of a run is text: in `infos["firstsolo"]["facts"]`, as JSON. */
interface Facts {
  readonly format: number;
  readonly algorithm: string;
  readonly actor: Pick<GraphOptions, "activation" | "head" | "vision"> & {
    readonly reads: readonly string[];
  };
  readonly ranked?: SavedRanked["facts"];
  readonly run: Omit<RunState, "learner" | "source"> & {
    readonly source: unknown;
    readonly counters: RunState["learner"]["counters"];
  };
}

const optimiser = z.object({ rule: ruleName, step: counter, learningRate: z.number().optional() });

const counters = z
  .looseObject({
    updates: counter,
    random: randomState,
    reward: z.object({ scale: z.number(), shift: z.number() }),
  })
  .superRefine((all, context) => {
    const owners = Object.entries(all).filter(([name]) => name.startsWith("optimisers/"));
    if (owners.length === 0) context.addIssue("holds no optimiser");
    for (const [name, state] of owners) {
      if (!optimiser.safeParse(state).success) context.addIssue(`${name} is none`);
    }
  });

const sampling = z.object({
  drawable: counter,
  epoch: counter,
  random: z.object({ epoch: randomState, window: randomState, now: randomState }),
  strip: counter,
  drawn: counter,
});

const buffer = z.object({
  ...{ rows: counter, at: counter, random: randomState },
  bytes: z.array(z.string()),
});

const sums = z.array(z.number());
const episodes = z.object({
  ...{ returns: sums, lengths: sums, whole: sums },
  ended: z.record(z.string(), z.array(z.tuple([z.number(), z.number()]))),
});

/** Of who explores; who remembers turns has a memory. */
const explorer = z.object({ random: randomState, memory: z.array(sums).default([]) });

/** Of a run that learns from its own flights too. */
const online = z.object({
  interrupted: z.boolean(),
  collector: z.object({ actor: explorer, episodes }),
  buffer,
});

const flown = z.object({ episodes: counter, steps: counter, rewards: z.number() });

const schema = z.object({
  format: z.literal(format),
  algorithm: z.string().min(1),
  actor: z.object({ activation: z.string().min(1), head, reads, vision: vision.optional() }),
  ranked: rankedFacts.optional(),
  run: z.object({
    progress,
    plan: z.null(),
    watch: z.unknown().optional(),
    source: z.object({ sampling, flown, online: online.optional() }),
    counters,
  }),
});

/** Of a checkpoint as it was read. */
export interface SavedPolicy {
  readonly file: PolicyCheckpoint;
  readonly algorithm: string;
  readonly actor: Facts["actor"];
  /** Absent: its actions are the simulator's. */
  readonly ranked?: SavedRanked;
}

export interface WriteOptions {
  readonly algorithm: string;
  readonly student: NetworkPolicy;
  /** What stands around it in flight. */
  readonly ranked?: Ranked | undefined;
  /** The student's network with what surrounds it. */
  readonly graph: GraphOptions;
}

/**
 * A file that torch reads: `policy_state_dict` is the student, all that a resume needs is in
 * `infos["firstsolo"]`: `facts`, JSON, and `arrays` by name (`parameters/GROUP/NAME`, `optimisers/…`).
 */
export async function bytesOf(
  state: RunState,
  { algorithm, student, ranked, graph }: WriteOptions,
): Promise<Uint8Array> {
  const { learner, source, ...run } = state;
  const { activation, head, actor, vision } = graph;
  const facts: Facts = {
    format,
    algorithm,
    actor: { activation, head, reads: student.reads, ...(vision && { vision }) },
    ...(ranked && { ranked: factsOf(ranked) }),
    run: { ...run, source: source.facts, counters: learner.counters },
  };
  const doubled = actor.outputWidth !== actor.actionWidth;
  const layers = doubled ? meanLayers(actor.layers) : actor.layers;
  const arrays = Object.entries(learner.arrays).map(
    ([name, { shape, data }]) => [name, floats(shape, data)] as const,
  );
  const own: Record<string, TorchValue> = {
    facts: JSON.stringify(facts),
    arrays: new OrderedDict(arrays),
    ...bytesEntry(source.bytes),
    ...rankedEntries(ranked),
    ...exampleEntries("actor", await recordExample(student)),
  };
  const { normaliser, latent } = actor;
  return writeTorchFile(
    torchDict({
      policy_state_dict: stateDict({ layers, latent, ...(normaliser && { normaliser }) }),
      iter: Math.max(0, state.progress.iteration - 1),
      infos: torchDict({ firstsolo: torchDict(own) }),
    }),
  );
}

/** @throws RunError when the file is no checkpoint of such a run, or of a later format */
export async function readRun(path: string): Promise<SavedRun & { readonly own: SavedPolicy }> {
  const file = await readCheckpointFile(path);
  const own = isDict(file.infos) ? file.infos.get("firstsolo") : undefined;
  const text = isDict(own) ? own.get("facts") : undefined;
  if (file.kind !== "policy" || !isDict(own) || typeof text !== "string") throw foreign(path);
  const facts = checkedFacts(schema, text, { where: path, format }) as unknown as Facts;
  const { run, actor, ranked, algorithm } = facts;
  checkIteration(run.progress, file.iteration, path);
  const { source, counters, ...rest } = run;
  const learner = { arrays: arraysIn(own.get("arrays"), path), counters };
  const bytes = bytesIn(own.get("bytes"));
  const state: RunState = { ...rest, source: { facts: source, bytes }, learner };
  const around = ranked && { facts: ranked, arrays: arraysIn(own.get("ranker"), path) };
  return { state, path, own: { file, actor, algorithm, ...(around && { ranked: around }) } };
}

/** The student that a checkpoint holds. */
export async function policiesOf(
  saved: SavedRun,
  spec: EnvSpec,
): Promise<{ readonly student: Policy }> {
  const student = await studentOf(saved);
  checkLoadedFit("The run's student", student, spec);
  return { student };
}

/** @param ranker instead of the one it was trained with, where it acts through one */
export async function studentOf({ own, path, state }: SavedRun, ranker?: Ranker): Promise<Policy> {
  const { file, actor, ranked } = own as SavedPolicy;
  const agent = createActorPolicy({ ...actor, actor: file.actor });
  await checkOwnExample(agent, file, "actor", path);
  if (!ranked) return agent;
  const { arrays: learned } = state.learner;
  return rankedPolicyOf(ranked, agent, { learned, ...(ranker && { ranker }) });
}

/** What the source keeps that is no text, by name. */
function bytesEntry(bytes: RunState["source"]["bytes"]): Record<string, TorchValue> {
  const entries = Object.entries(bytes).map(([name, data]): [string, TorchValue] => [
    name,
    { shape: [data.length], dtype: "uint8", data },
  ]);
  return entries.length === 0 ? {} : { bytes: new OrderedDict(entries) };
}

function bytesIn(value: TorchValue | undefined): Record<string, Uint8Array> {
  const bytes: Record<string, Uint8Array> = {};
  for (const [name, tensor] of isDict(value) ? value : []) {
    if (isTensor(tensor) && tensor.dtype === "uint8") {
      bytes[String(name)] = Uint8Array.from(tensor.data as Uint8Array);
    }
  }
  return bytes;
}

function foreign(path: string): RunError {
  return new RunError(
    "not-our-run",
    `${path} is no checkpoint of a run that learned from recorded flights: it lacks the state to go on from`,
    "Give a run of firstsolo, or a checkpoint in it.",
  );
}
