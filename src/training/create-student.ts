import { statSync } from "node:fs";
import { createActorPolicy } from "../../policies/checkpoint/actor-policy.ts";
import { checkOwnExample, loadTeacher } from "../../policies/checkpoint/load-teacher.ts";
import type { RslRlDistillation } from "../../policies/checkpoint/rsl-rl.ts";
import type { RslRlActor } from "../../policies/checkpoint/rsl-rl-actor.ts";
import { checkWritable } from "../../policies/checkpoint/rsl-rl-write.ts";
import { type FlightExample, recordExample } from "../../policies/flight-example.ts";
import { elementsOf } from "../../policies/named-array.ts";
import { nearest } from "../../policies/nearest.ts";
import { withHistory } from "../../policies/networks/history.ts";
import { createMlp } from "../../policies/networks/mlp.ts";
import { NetworkPolicy } from "../../policies/networks/network-policy.ts";
import { Normaliser } from "../../policies/networks/normaliser.ts";
import { createRecurrent } from "../../policies/networks/recurrent.ts";
import {
  createOnnxPolicy,
  isOnnxPath,
  type LoadedOnnx,
  loadOnnx,
} from "../../policies/onnx/onnx-policy.ts";
import { createHover } from "../../policies/pilots/hover.ts";
import { createSimulatorTeacher } from "../../policies/pilots/simulator-teacher.ts";
import type { Policy } from "../../policies/policy.ts";
import { deriveSeed, Random } from "../../policies/random.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import { type PilotFacts, readRunCheckpoint } from "../algorithms/distillation/run-checkpoint.ts";
import type { Config } from "../config/schema.ts";
import { FlightError } from "../running/running-error.ts";
import { openRun } from "../runs/open-run.ts";
import { shippedTeacher } from "./shipped-teacher.ts";

/** A teacher ready to fly, with what a checkpoint must keep of it. */
export interface HiredTeacher {
  readonly policy: Policy;
  readonly facts: PilotFacts;
  /** Absent when it is no network. */
  readonly actor?: RslRlActor;
  /** What it does on given observations, where it is a network of ours. */
  readonly example?: FlightExample | undefined;
  /** The ONNX file it flies by, where it does. */
  readonly model?: Uint8Array;
  /** One line for people. */
  readonly description: string;
}

/** @throws FlightError when the simulator lacks an observation group the student should read. */
export function createStudent(config: Config, spec: EnvSpec): NetworkPolicy {
  const { student_hidden_dims, activation, student_obs_normalization } = config.policy;
  const { rnn_type, rnn_hidden_dim, rnn_num_layers, history_length } = config.policy;
  const reads = config.obs_groups.student ?? ["policy"];
  const inputWidth = groupsWidth("student", reads, spec);
  const mlp = {
    inputWidth: inputWidth * history_length,
    outputWidth: elementsOf(spec.action.shape),
    hidden: student_hidden_dims,
    activation,
    random: new Random(deriveSeed(config.seed, "student")).uniform,
  };
  const rnn = { type: rnn_type ?? "gru", width: rnn_hidden_dim, layers: rnn_num_layers };
  const network =
    rnn_type === null
      ? withHistory(createMlp(mlp), history_length)
      : createRecurrent({ ...mlp, rnn });
  const normaliser = student_obs_normalization ? new Normaliser(inputWidth) : undefined;
  return new NetworkPolicy({ network, normaliser, reads });
}

/** @throws FlightError, CheckpointError when the teacher can't be read or doesn't fit the simulator. */
export async function hireTeacher(config: Config, spec: EnvSpec): Promise<HiredTeacher> {
  if (config.checkpoint === "simulator") return hireSimulators(spec);
  const given = config.obs_groups.teacher;
  const usual = given ?? teacherGroups(spec);
  groupsWidth("teacher", usual, spec);
  if (config.checkpoint === "hover") return hireHover(usual, spec);
  const path = await checkpointIn(config.checkpoint ?? shippedTeacher(spec.task));
  if (isOnnxPath(path)) return hireModel(await loadOnnx(path, usual), spec);
  const loaded = await loadTeacher(path, {
    activation: config.policy.teacher_activation ?? undefined,
    // A student of ours goes on reading what it was trained on, unless told otherwise.
    reads: (own) => given ?? (own?.every((group) => group in spec.observations) ? own : usual),
  });
  checkFit(`The teacher ${loaded.path}`, loaded.policy, spec);
  const { activation, head, history, actor, notes } = loaded;
  const { reads } = loaded.policy;
  return {
    policy: loaded.policy,
    facts: { kind: "network", activation, head, history, reads },
    actor,
    example: await recordExample(loaded.policy),
    description: [`${loaded.path}, iteration ${loaded.iteration}`, ...notes].join("; "),
  };
}

/** The teacher that a run's own checkpoint holds. */
export async function rehireTeacher(
  file: RslRlDistillation,
  facts: PilotFacts,
  { spec, path }: { readonly spec: EnvSpec; readonly path: string },
): Promise<HiredTeacher> {
  if (facts.kind === "hover") return hireHover(facts.reads, spec);
  if (facts.kind === "simulator") return hireSimulators(spec);
  if (facts.kind === "onnx") {
    const { teacherModel } = readRunCheckpoint(file, path);
    const bytes = teacherModel ?? new Uint8Array(0);
    const where = `${path}: its teacher`;
    const loaded = await createOnnxPolicy(bytes, { reads: facts.reads, where });
    return hireModel({ path: where, bytes, ...loaded }, spec);
  }
  const policy = createActorPolicy({ ...facts, actor: file.teacher });
  checkFit("The run's teacher", policy, spec);
  await checkOwnExample(policy, file, "teacher", path);
  const example = await recordExample(policy);
  return { policy, facts, actor: file.teacher, example, description: "from the run's checkpoint" };
}

/** Before the first step: can both be kept in the layout that is asked for? @throws CheckpointError */
export function checkLayout(config: Config, student: NetworkPolicy, teacher: HiredTeacher): void {
  const shapes = student.network.parameters.map(({ name, value }) => [name, value] as const);
  const { layers = {}, doubled } = teacher.actor ?? {};
  const { head } = teacher.facts;
  const own = { layers: Object.fromEntries(shapes) };
  checkWritable(config.checkpoint_version, own, { layers, doubled, head });
}

/** The student as a checkpoint holds it, for evaluation. */
export async function studentOf(
  file: RslRlDistillation,
  facts: PilotFacts,
  { spec, path }: { readonly spec: EnvSpec; readonly path: string },
): Promise<NetworkPolicy> {
  const policy = createActorPolicy({ ...facts, actor: file.student });
  checkFit("The run's student", policy, spec);
  await checkOwnExample(policy, file, "student", path);
  return policy;
}

/** Of a run folder the best checkpoint, else the last; a file is meant itself. */
async function checkpointIn(path: string): Promise<string> {
  const folder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return folder ? (await openRun(path, { prefer: "best" })).checkpoint : path;
}

function hireModel({ path, bytes, policy, notes }: LoadedOnnx, spec: EnvSpec): HiredTeacher {
  checkFit(`The teacher ${path}`, policy, spec);
  const facts: PilotFacts = { kind: "onnx", activation: "identity", reads: policy.reads };
  return { policy, facts, model: bytes, description: [path, ...notes].join("; ") };
}

function hireHover(reads: readonly string[], spec: EnvSpec): HiredTeacher {
  const policy = createHover(reads[0]);
  checkFit("The hover controller", policy, spec);
  const facts: PilotFacts = { kind: "hover", activation: "identity", reads: policy.reads };
  return { policy, facts, description: "the hand-written hover controller" };
}

/** The teacher that sits in the simulator itself: its actions come with every frame. */
function hireSimulators(spec: EnvSpec): HiredTeacher {
  if (!spec.capabilities.includes("teacher_actions")) {
    throw new FlightError(
      "no-teacher",
      `The teacher should be the simulator's own, but task '${spec.task}' has none.`,
      "Name a file here, --checkpoint FILE, or fly in a simulator that has one (Isaac Lab's: --teacher_checkpoint FILE).",
    );
  }
  const facts: PilotFacts = { kind: "simulator", activation: "identity", reads: [] };
  const policy = createSimulatorTeacher(elementsOf(spec.action.shape));
  return { policy, facts, description: "the simulator's own teacher" };
}

/** As rsl_rl: the group `teacher` where there is one, else what everybody sees. */
function teacherGroups(spec: EnvSpec): readonly string[] {
  return "teacher" in spec.observations ? ["teacher"] : ["policy"];
}

function groupsWidth(who: string, reads: readonly string[], spec: EnvSpec): number {
  const missing = reads.find((group) => !Object.hasOwn(spec.observations, group));
  if (missing !== undefined) {
    const known = Object.entries(spec.observations).map(
      ([name, { shape }]) => `${name} [${shape}]`,
    );
    throw new FlightError(
      "unknown-group",
      `The ${who} should read the observation group '${missing}'; task '${spec.task}' has ${known.join(", ")}.`,
      `Name groups of that task: agent.obs_groups.${who}=[${nearest(missing, Object.keys(spec.observations))}].`,
    );
  }
  return reads.reduce((sum, group) => sum + elementsOf(spec.observations[group]!.shape), 0);
}

function checkFit(who: string, policy: Policy, spec: EnvSpec): void {
  const width = groupsWidth("policy", policy.reads, spec);
  const actions = elementsOf(spec.action.shape);
  if (policy.observationWidth === width && policy.actionWidth === actions) return;
  throw new FlightError(
    "does-not-fit",
    `${who} reads ${policy.observationWidth} observations and gives ${policy.actionWidth} actions; ` +
      `task '${spec.task}' has ${width} in ${policy.reads.join(" + ")} and takes ${actions}.`,
    "Use a policy trained on this task, or name other groups in agent.obs_groups.",
  );
}
