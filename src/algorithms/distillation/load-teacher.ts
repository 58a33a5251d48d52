import { createActorPolicy } from "../../../policies/checkpoint/actor-policy.ts";
import type { RslRlActor } from "../../../policies/checkpoint/actor-state.ts";
import { checkOwnExample, loadTeacher } from "../../../policies/checkpoint/load-teacher.ts";
import { type FlightExample, recordExample } from "../../../policies/flight-example.ts";
import { elementsOf } from "../../../policies/named-array.ts";
import type { ReadsChoice } from "../../../policies/observation-groups.ts";
import type { PortChoice } from "../../../policies/onnx/model-memory.ts";
import {
  createOnnxPolicy,
  isOnnxPath,
  type LoadedOnnx,
  loadOnnx,
} from "../../../policies/onnx/onnx-policy.ts";
import { createHover } from "../../../policies/pilots/hover.ts";
import { createPid } from "../../../policies/pilots/pid.ts";
import { createSimulatorTeacher } from "../../../policies/pilots/simulator-teacher.ts";
import { isSlatePilot } from "../../../policies/pilots/slates.ts";
import type { Policy } from "../../../policies/policy.ts";
import type { EnvSpec } from "../../../protocol/spec.ts";
import { RunningError } from "../../running/running-error.ts";
import { findCheckpoint } from "../../runs/find-checkpoint.ts";
import { checkFit, checkLoadedFit, groupsWidth } from "../fit.ts";
import type { DistilledPolicies } from "./run-checkpoint.ts";
import type { PolicyFacts } from "./run-facts.ts";
import type { DistillationConfig } from "./settings.ts";
import { usualTeacher } from "./shipped-teacher.ts";
import { slateTeacher } from "./slate-teacher.ts";

/** A teacher ready to fly, with what a checkpoint must keep of it. */
export interface Teacher {
  readonly policy: Policy;
  readonly facts: PolicyFacts;
  /** Absent when it is no network. */
  readonly actor?: RslRlActor;
  /** What it does on given observations, where it is a network of ours. */
  readonly example?: FlightExample | undefined;
  /** The ONNX file it flies by, where it does. */
  readonly model?: Uint8Array;
  /** One line for people. */
  readonly description: string;
}

/** @throws RunningError, CheckpointError when the teacher can't be read or doesn't fit the simulator. */
export async function chooseTeacher(config: DistillationConfig, spec: EnvSpec): Promise<Teacher> {
  const hasOwn = config.sim.endpoint !== null && spec.capabilities.includes("teacher_actions");
  const checkpoint = config.checkpoint ?? (hasOwn ? "simulator" : usualTeacher(spec.task));
  if (checkpoint === "simulator") return simulatorsTeacher(spec);
  if (isSlatePilot(checkpoint)) return slateTeacher(checkpoint, spec);
  const given = config.obs_groups.teacher;
  const usual = given ?? teacherGroups(config, spec);
  groupsWidth("teacher", usual, spec);
  if (checkpoint === "hover") return hoverTeacher(usual, spec);
  if (checkpoint === "pid") return pidTeacher(usual, spec);
  const { log_root: logRoot } = config;
  const path = await findCheckpoint(checkpoint, { logRoot });
  // A policy of ours goes on reading what it was trained on, unless told otherwise.
  const reads: ReadsChoice = (own) =>
    given ?? (own?.every((group) => group in spec.observations) ? own : usual);
  const { onnx_input: input, onnx_output: output, teacher_distribution } = config.policy;
  if (isOnnxPath(path)) {
    const ports = { input: input ?? undefined, output: output ?? undefined };
    return onnxTeacher(await loadOnnx(path, reads, ports), spec, ports);
  }
  const loaded = await loadTeacher(path, {
    activation: config.policy.teacher_activation ?? undefined,
    assume: config.policy.assume_activation,
    distribution: teacher_distribution ?? undefined,
    reads,
  });
  checkLoadedFit(`The policy ${loaded.path}`, loaded.policy, spec);
  const { activation, head, history, actor, notes } = loaded;
  return {
    policy: loaded.policy,
    facts: { kind: "network", activation, head, history, reads: loaded.policy.reads },
    actor,
    example: await recordExample(loaded.policy),
    description: [`${loaded.path}, iteration ${loaded.iteration}`, ...notes].join("; "),
  };
}

/** The teacher that a run's own checkpoint holds. */
export async function savedTeacher(
  { teacher: facts, teacherActor, teacherModel, file }: DistilledPolicies,
  { spec, path }: { readonly spec: EnvSpec; readonly path: string },
): Promise<Teacher> {
  if (facts.kind === "hover") return hoverTeacher(facts.reads, spec);
  if (facts.kind === "pid") return pidTeacher(facts.reads, spec);
  if (facts.kind === "simulator") return simulatorsTeacher(spec);
  if (isSlatePilot(facts.kind)) return slateTeacher(facts.kind, spec);
  if (facts.kind === "onnx") {
    const bytes = teacherModel ?? new Uint8Array(0);
    const where = `${path}: its teacher`;
    const { reads, ports = {} } = facts;
    const loaded = await createOnnxPolicy(bytes, { reads, where, ports });
    return onnxTeacher({ path: where, bytes, ...loaded }, spec, ports);
  }
  const policy = createActorPolicy({ ...facts, actor: teacherActor });
  checkLoadedFit("The run's teacher", policy, spec);
  await checkOwnExample(policy, file, "teacher", path);
  const example = await recordExample(policy);
  const description = "from the run's checkpoint";
  return { policy, facts, actor: teacherActor, example, description };
}

function onnxTeacher(
  { path, bytes, policy, notes }: LoadedOnnx,
  spec: EnvSpec,
  ports: PortChoice = {},
): Teacher {
  checkLoadedFit(`The policy ${path}`, policy, spec);
  const { reads } = policy;
  const facts: PolicyFacts = { kind: "onnx", activation: "identity", reads, ports };
  return { policy, facts, model: bytes, description: [path, ...notes].join("; ") };
}

function hoverTeacher(reads: readonly string[], spec: EnvSpec): Teacher {
  const policy = createHover(reads[0]);
  checkFit("The hover controller", policy, spec);
  const facts: PolicyFacts = { kind: "hover", activation: "identity", reads: policy.reads };
  return { policy, facts, description: "the hand-written hover controller" };
}

/** @throws PolicyError `other-task` where there is no BIS to hold */
function pidTeacher(reads: readonly string[], spec: EnvSpec): Teacher {
  const policy = createPid({ spec, group: reads[0]! });
  const facts: PolicyFacts = { kind: "pid", activation: "identity", reads: policy.reads };
  return { policy, facts, description: "the PID that holds BIS at 50" };
}

/** The teacher that sits in the simulator itself: its actions come with every frame. */
function simulatorsTeacher(spec: EnvSpec): Teacher {
  if (!spec.capabilities.includes("teacher_actions")) {
    throw new RunningError(
      "no-teacher",
      `The teacher should be the simulator's own, but task '${spec.task}' has none.`,
      "Name a file here, --checkpoint FILE, or fly in a simulator that has one (Isaac Lab's: --teacher_checkpoint FILE).",
    );
  }
  const facts: PolicyFacts = { kind: "simulator", activation: "identity", reads: [] };
  const policy = createSimulatorTeacher(elementsOf(spec.action.shape));
  return { policy, facts, description: "the simulator's own teacher" };
}

/** As rsl_rl: the group `teacher` where there is one, else what everybody sees, else what its student does. */
function teacherGroups(config: DistillationConfig, { observations }: EnvSpec): readonly string[] {
  const own = ["teacher", "policy"].find((group) => Object.hasOwn(observations, group));
  return own === undefined ? (config.obs_groups.student ?? ["policy"]) : [own];
}
