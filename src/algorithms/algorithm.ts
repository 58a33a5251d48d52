import type { z } from "zod";
import type { Policy } from "../../policies/policy.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import type { VectorEnv } from "../../sim-adapters/vector-env.ts";
import type { Idle } from "../config/idle.ts";
import type { Config } from "../config/schema.ts";
import type { Compile } from "../engine/compile/program.ts";
import type { Experience } from "../learning/experience.ts";
import type { Learner } from "../learning/learner.ts";
import type { Monitor } from "../learning/monitors/monitor.ts";
import type { Metrics } from "../metrics/metric-sink.ts";
import type { RunDescription } from "../metrics/run-description.ts";
import type { Judge } from "../running/judge.ts";
import type { Plan } from "../running/plan.ts";
import type { RunState } from "../running/run-state.ts";
import type { Source } from "../running/source.ts";

export type Flag = readonly [flag: string, value: string, key: string];

/** What somebody reads of a simulator: a group that isn't asked for isn't sent. */
export interface Wish {
  /** Absent: all. */
  readonly groups?: readonly string[];
  /** What the simulator's own teacher would do; `welcome`: where it has one. */
  readonly teacherActions?: boolean | "welcome";
}

/** A checkpoint of ours, as it was read. */
export interface SavedRun {
  readonly state: RunState;
  /** Path of the file. */
  readonly path: string;
  /** What the algorithm keeps beside the state, to make its policies again. */
  readonly own: unknown;
}

/** Where a run takes place. */
export interface Site<C extends Config = Config> {
  readonly config: C;
  /** Absent where an algorithm flies nowhere. */
  readonly env: VectorEnv | undefined;
  readonly saved: SavedRun | undefined;
  /** Gets every rollout that is collected, with all there is. */
  readonly record?: ((experience: Experience) => void) | undefined;
  /** Who makes one call of an update's operations, and of acting; absent: each is a call of its own. */
  readonly compile?: Compile;
  /** Nothing is to be flown: `env` says what it is and can't be stepped. */
  readonly dry?: boolean;
  /** A line for people. */
  readonly say: (line: string) => void;
}

/** How the policies of a checkpoint are to act, where there is a choice. */
export interface ActingChoice {
  /** One of the algorithm's `planners`: plans before it acts; absent: nobody plans. */
  readonly planner?: string;
  /** Is told, when the policies are disposed of, what planning did: e.g. `Search/activation`. */
  readonly tell?: (figures: Metrics) => void;
  /** Who makes one call of a model's operations; absent: each is a call of its own. */
  readonly compile?: Compile;
}

/** What makes the same learner in another thread: plain data, but for that thread's own compiler. */
export interface LearnerOrder<C extends Config = Config> {
  readonly config: C;
  readonly spec: EnvSpec;
  /** `Assembled.learnerFacts`. */
  readonly facts: unknown;
  readonly compile?: Compile;
}

/** The parts of a run, on their places, before its first step. */
export interface Assembled {
  readonly plan: Plan;
  readonly source: Source;
  readonly learner: Learner;
  /** Plain data that `Algorithm.learner` needs beside configuration and simulator. */
  readonly learnerFacts?: unknown;
  readonly judge: Judge;
  readonly monitors: readonly Monitor[];
  /** The bytes of a checkpoint. */
  write(state: RunState): Promise<Uint8Array>;
  /** After a state was loaded: do the policies what the checkpoint says they do? @throws CheckpointError */
  check(saved: SavedRun): Promise<void>;
  /** Frees learner, policies and what was compiled of them; the source is closed by itself. */
  dispose(): void;
  /** Said in the `start` event, e.g. who the teacher is. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** What an algorithm says of its configuration. */
interface AlgorithmKeys<C extends Config = Config> {
  /** Keys of its own: blocks of zod, behind those that all have; and those of all that it has no use for. */
  readonly keys: z.ZodRawShape;
  readonly omits?: readonly string[];
  /** Flags of `train` for them: `["--alpha", "X", "algorithm.alpha"]`. */
  readonly flags?: readonly Flag[];
  /** Keys that a task asks for, by dotted name, where nobody says otherwise. */
  recipe?(task: string): Readonly<Record<string, unknown>>;
  /** The configuration with what follows from which keys were named, by anybody. */
  settle?(config: C, named: (key: string) => boolean): C;
  /** The configuration with what only the data, or a teacher's file, can say; `resumed`: a run goes on. */
  complete?(config: C, given: { readonly resumed: boolean }): Promise<C>;
  /** Dotted names of what must not change when a run goes on. */
  readonly keptKeys: readonly string[];
  /** Values that make no sense together. @throws ConfigError */
  check(config: C): void;
  /** What a person should know who flies with it. */
  remarks(config: C): readonly string[];
  /** Keys that nobody asks for, in this configuration. */
  idle(config: C): readonly Idle[];
}

/** A way of handing controls over: one folder, and one line in the registry. */
export interface Algorithm<C extends Config = Config> extends AlgorithmKeys<C> {
  /** `--algorithm NAME`. */
  readonly name: string;
  readonly summary: string;
  readonly description: Omit<RunDescription, "algorithm">;
  /** Who else can load its checkpoints, and by which of their configurations; absent: nobody. */
  readonly manifest?: { readonly library: string; readonly agent: string };
  /** Its experience comes from a simulator, and can be recorded. */
  readonly collects: boolean;
  /** Whether this configuration flies anywhere. */
  flies(config: C): boolean;
  /** What a simulator is asked for, the likelier first; where it has none of them, all it has. */
  wishes(config: C): readonly Wish[];
  assemble(site: Site<C>): Promise<Assembled>;
  /** Its learner alone, which has `acting`; absent: it learns in the thread that flies. */
  learner?(order: LearnerOrder<C>): Promise<Learner>;
  read(path: string): Promise<SavedRun>;
  /**
   * For `inspect`: what a checkpoint holds, as label and text, where that is no network that rsl_rl knows;
   * absent: its checkpoints are policies.
   */
  describe?(saved: SavedRun): readonly (readonly [label: string, text: string])[];
  /** Whether its student is a network that `export` can write; absent: it is. */
  exports?(config: C): boolean;
  /** Who may plan for its policies in an evaluation: `--planner NAME`; absent: nobody. */
  readonly planners?: readonly string[];
  /** Who can be evaluated: `student`, and whom it is measured against. To be disposed by the caller. */
  policies(
    saved: SavedRun,
    spec: EnvSpec,
    acting?: ActingChoice,
  ): Promise<Readonly<Record<string, Policy>>>;
}
