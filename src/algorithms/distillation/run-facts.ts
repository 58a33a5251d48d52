import type { Head } from "../../../policies/checkpoint/actor.ts";
import type { RslRlActorState } from "../../../policies/checkpoint/rsl-rl-actor.ts";
import type { PortChoice } from "../../../policies/onnx/model-memory.ts";
import type { RandomState } from "../../../policies/random.ts";
import type { LearnerState } from "../../learning/learner.ts";
import { type RuleName, rules } from "../../learning/rules.ts";
import type { CollectorFacts } from "../../running/collector.ts";
import type { Ended } from "../../running/episode-book.ts";
import type { Progress, RunState } from "../../running/run-state.ts";
import { RunError } from "../../runs/run-error.ts";
import type { PlanState } from "./phases.ts";
import type { ActorState } from "./teacher-student-actor.ts";

/** Bumped when what is kept in `infos` changes so that an older reader would go wrong. */
export const format = 1;

/** What a policy needs besides its weights. */
export interface PolicyFacts {
  readonly kind: "network" | "hover" | "simulator" | "onnx";
  readonly activation: string;
  readonly head?: Head;
  /** Observations it sees at once; absent: one. */
  readonly history?: number;
  readonly reads: readonly string[];
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
  };
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

/** @throws RunError when the text is not JSON or of another format. */
export function parseRunFacts(text: string, where: string): RunFacts {
  let facts: RunFacts;
  try {
    facts = JSON.parse(text);
  } catch (cause) {
    throw new RunError(
      "bad-checkpoint",
      `${where}: infos["firstsolo"]["facts"] is not JSON`,
      "The file is damaged: resume from another checkpoint of the run.",
      { cause },
    );
  }
  if (facts.format === format) return facts;
  throw new RunError(
    "checkpoint-format",
    `${where} is of format ${facts.format}; this version reads format ${format}`,
    "Use the version of firstsolo that wrote it.",
  );
}
