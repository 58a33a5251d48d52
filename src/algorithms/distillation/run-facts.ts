import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { Head } from "../../../policies/checkpoint/actor.ts";
import type { RslRlActorState } from "../../../policies/checkpoint/actor-state.ts";
import type { VisionFacts } from "../../../policies/networks/cnn/vision.ts";
import type { PortChoice } from "../../../policies/onnx/model-memory.ts";
import { type SlatePilot, slatePilots } from "../../../policies/pilots/slates.ts";
import type { RandomState } from "../../../policies/random.ts";
import type { LearnerState } from "../../learning/learner.ts";
import { pipelineCounter } from "../../learning/pipeline/pipelined-learner.ts";
import { type RuleName, rules } from "../../learning/rules.ts";
import type { Metrics } from "../../metrics/metric-sink.ts";
import type { CollectorFacts } from "../../running/collector.ts";
import type { Ended } from "../../running/episode-book.ts";
import type { Progress, RunState } from "../../running/run-state.ts";
import {
  checkedFacts,
  counter,
  head,
  progress,
  randomState,
  ruleName,
  vision,
} from "../saved-facts.ts";
import type { PlanState } from "./phases.ts";
import type { ActorState } from "./teacher-student-actor.ts";

/** Bumped when what is kept in `infos` changes so that an older reader would go wrong. */
export const format = 1;

/** What a policy needs besides its weights. */
export interface PolicyFacts {
  readonly kind: "network" | "hover" | "pid" | "simulator" | "onnx" | SlatePilot;
  readonly activation: string;
  readonly head?: Head;
  /** Observations it sees at once; absent: one. */
  readonly history?: number;
  readonly reads: readonly string[];
  /** Of a network with pictures. */
  readonly vision?: VisionFacts | undefined;
  /** Of an ONNX model with several inputs or outputs. */
  readonly ports?: PortChoice;
}

/** What a checkpoint must say of the policies besides the student's weights. */
export interface PolicyParts {
  /** Of the student's exploration. */
  readonly noiseStd: number;
  readonly student: PolicyFacts;
  readonly teacher: PolicyFacts;
  /** Absent when the teacher is no network of ours (the hover controller, the simulator's own). */
  readonly teacherActor?: RslRlActorState | undefined;
  /** The ONNX file that the teacher flies by, where it does. */
  readonly teacherModel?: Uint8Array | undefined;
}

export interface OptimiserFacts {
  readonly name: RuleName;
  readonly step: number;
  readonly momentNames: readonly string[];
}

/** Goes into `infos` as JSON text, so that any reader of pickles can show it. */
export interface RunFacts {
  readonly format: number;
  readonly optimiser: OptimiserFacts;
  readonly student: PolicyFacts;
  readonly teacher: PolicyFacts;
  readonly flight: {
    readonly progress: Progress;
    readonly cockpit: ActorState & { readonly handOver: PlanState };
    readonly episodes: SavedEpisodes;
  };
  /** Of the draws from the buffer of past rollouts. */
  readonly buffer?: RandomState;
  /** Figures of the last update, where the next row is to have them. */
  readonly pipeline?: Metrics;
}

interface SavedEpisodes {
  readonly returns: readonly number[];
  readonly lengths: readonly number[];
  readonly whole: readonly number[];
  readonly training: readonly Ended[];
  readonly student: readonly Ended[];
  readonly teacher: readonly Ended[];
}

export function runFactsOf(state: RunState, { student, teacher }: PolicyParts): RunFacts {
  const { progress, plan, source, learner } = state;
  const pipeline = learner.counters[pipelineCounter];
  const { rule: name, step } = learner.counters["optimisers/student"] as OptimiserCounters;
  const { actor, episodes } = source.facts as CollectorFacts;
  const { ended, ...sums } = episodes;
  const none: readonly Ended[] = [];
  return {
    format,
    optimiser: { name, step, momentNames: rules[name].moments },
    student,
    teacher,
    flight: {
      progress,
      cockpit: { handOver: plan as PlanState, ...(actor as ActorState) },
      episodes: {
        ...sums,
        training: ended.training ?? none,
        student: ended.student ?? none,
        teacher: ended.teacher ?? none,
      },
    },
    buffer: learner.counters.buffer as RandomState,
    ...(pipeline ? { pipeline: finite(pipeline as Metrics) } : {}),
  };
}

/** Others JSON does not keep. */
function finite(metrics: Metrics): Metrics {
  return Object.fromEntries(Object.entries(metrics).filter(([, value]) => Number.isFinite(value)));
}

export interface OptimiserCounters {
  readonly rule: RuleName;
  readonly step: number;
  /** Absent in what was read: the run sets it anew. */
  readonly learningRate?: number;
}

/** The inverse, with what is not text. */
export function stateOf(
  { flight }: RunFacts,
  learner: LearnerState,
  bytes: RunState["source"]["bytes"],
): RunState {
  const { handOver: plan, ...actor } = flight.cockpit;
  const { training, student, teacher, ...sums } = flight.episodes;
  const episodes = { ...sums, ended: { training, student, teacher } };
  const facts: CollectorFacts = { actor, episodes };
  return { progress: flight.progress, plan, source: { facts, bytes }, learner };
}

const memory = z.array(z.array(z.number()));
const ended = z.array(z.tuple([z.number(), counter]));
const bit = z.literal([0, 1]);

const policyFacts = z.object({
  kind: z.enum(["network", "hover", "pid", "simulator", "onnx", ...slatePilots]),
  activation: z.string(),
  head: head.optional(),
  history: counter.min(1).optional(),
  reads: z.array(z.string().min(1)),
  vision: vision.optional(),
});

const blind = "reads no observations";

/** The hover controller and a simulator's own teacher see what they like. */
function sees({ kind, reads }: z.output<typeof policyFacts>): boolean {
  return reads.length > 0 || kind === "hover" || kind === "simulator";
}

const episodes = z
  .object({
    returns: z.array(z.number()).min(1),
    lengths: z.array(counter),
    whole: z.array(bit),
    training: ended,
    student: ended,
    teacher: ended,
  })
  .refine(
    ({ returns, lengths, whole }) =>
      lengths.length === returns.length && whole.length === returns.length,
    "as many returns, lengths and whole ones are expected",
  );

const schema = z.object({
  format: z.literal(format),
  optimiser: z
    .object({ name: ruleName, step: counter, momentNames: z.array(z.string()) })
    .refine(
      ({ name, momentNames }) => isDeepStrictEqual(momentNames, rules[name].moments),
      "its moments are not those of its rule",
    ),
  student: policyFacts
    .refine(({ kind }) => kind === "network", "is no network")
    .refine(sees, blind),
  teacher: policyFacts.refine(sees, blind),
  flight: z
    .object({
      progress,
      cockpit: z.object({
        flownByTeacher: z.array(bit).min(1),
        noise: randomState,
        draws: randomState,
        studentMemory: memory,
        teacherMemory: memory,
        handOver: z
          .object({ phase: z.literal([1, 2]), from: counter, to: counter, streak: counter })
          .refine(({ from, to }) => from <= to, "it ends before it begins"),
      }),
      episodes,
    })
    .refine(
      ({ cockpit, episodes: { returns } }) => cockpit.flownByTeacher.length <= returns.length,
      "there are more drivers than environments",
    ),
  buffer: randomState.optional(),
  pipeline: z.record(z.string(), z.number()).optional(),
});

/** @throws RunError `bad-checkpoint` when they are not whole, `checkpoint-format` when of another format */
export function parseRunFacts(text: string, where: string): RunFacts {
  return checkedFacts(schema, text, { where, format }) as RunFacts;
}
