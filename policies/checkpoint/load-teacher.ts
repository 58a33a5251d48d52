import { checkExample } from "../flight-example.ts";
import { elementsOf } from "../named-array.ts";
import { type ActivationName, activationNamed } from "../networks/activation.ts";
import type { VisionFacts } from "../networks/cnn/vision.ts";
import type { NetworkPolicy } from "../networks/network-policy.ts";
import type { ReadsChoice } from "../observation-groups.ts";
import { CheckpointError, PolicyError } from "../policy-error.ts";
import type { Head } from "./actor.ts";
import { createActorPolicy } from "./actor-policy.ts";
import type { RslRlActor } from "./actor-state.ts";
import { type AgentConfig, findAgentConfig, type Role } from "./agent-config.ts";
import { readCheckpointFile } from "./checkpoint-file.ts";
import { type OwnFacts, ownExample, ownFacts } from "./own-facts.ts";
import type { RslRlCheckpoint } from "./rsl-rl.ts";

export interface TeacherOptions {
  /** Instead of what the run's params/agent.yaml says. */
  readonly activation?: string | undefined;
  /** Whether elu, and a Gaussian for two outputs per action, are assumed where nothing says it. Default: true. */
  readonly assume?: boolean | undefined;
  /** What two outputs per action are, instead of what the run's params/agent.yaml says. */
  readonly distribution?: "gaussian" | "beta" | undefined;
  /**
   * Observation groups, concatenated in this order, or how to choose them from those that a
   * checkpoint of Firstsolo says its network was trained on. Default: those, else `policy`.
   */
  readonly reads?: readonly string[] | ReadsChoice | undefined;
  /** Which network of a distillation checkpoint flies. Default: the student. */
  readonly role?: "student" | "teacher" | undefined;
}

export interface ConfiguredGroups {
  readonly groups: readonly string[];
  /** The file that says so. */
  readonly path: string;
}

/** What a checkpoint's weights need to fly, and where it was found. */
export interface FlightPlan {
  readonly role: Role;
  readonly actor: RslRlActor;
  readonly activation: ActivationName;
  readonly activationFrom: "option" | "checkpoint" | "agent.yaml" | "none" | "default";
  readonly head: Head;
  /** Observations the network sees at once, oldest first. */
  readonly history: number;
  /** Of a network with pictures. */
  readonly vision?: VisionFacts;
  /** Observation groups it reads, in this order, as its checkpoint says. */
  readonly reads?: readonly string[];
  /** Observation groups it was trained on, by the run's own configuration. */
  readonly configured?: ConfiguredGroups;
  /** What a person should know: what was assumed, and from where. */
  readonly notes: readonly string[];
}

export interface LoadedTeacher extends FlightPlan {
  readonly path: string;
  readonly policy: NetworkPolicy;
  readonly checkpoint: RslRlCheckpoint;
  readonly iteration: number;
}

const DEFAULT_ACTIVATION = "elu";

/**
 * Reads a checkpoint and makes it fly: of a PPO run the actor, of a distillation run the student.
 * The engine must have been started.
 *
 * @throws CheckpointError for the file, `example-mismatch` where it flies otherwise than it says,
 * PolicyError `unknown-activation`, `unknown-role`, `bad-
 * agent-yaml`
 */
export async function loadTeacher(
  path: string,
  options: TeacherOptions = {},
): Promise<LoadedTeacher> {
  return teacherIn(await readCheckpointFile(path), path, options);
}

/** The same of a checkpoint that was read already. @throws as `loadTeacher` */
export async function teacherIn(
  checkpoint: RslRlCheckpoint,
  path: string,
  options: TeacherOptions,
): Promise<LoadedTeacher> {
  const plan = await planFlight(path, checkpoint, options);
  const { reads } = options;
  const own = ownFacts(checkpoint.infos, plan.role)?.reads;
  const chosen = typeof reads === "function" ? reads(own) : (reads ?? own ?? ["policy"]);
  const policy = createActorPolicy({ ...plan, reads: chosen });
  await checkOwnExample(policy, checkpoint, plan.role, path);
  return { ...plan, path, policy, checkpoint, iteration: checkpoint.iteration };
}

/** Flies the example that a checkpoint of ours carries. @throws CheckpointError, the policy being disposed */
export async function checkOwnExample(
  policy: NetworkPolicy,
  { infos }: RslRlCheckpoint,
  role: Role,
  path: string,
): Promise<void> {
  try {
    const example = ownExample(infos, role, path);
    if (example !== undefined) await checkExample(policy, example, `${path}: its ${role}`);
  } catch (error) {
    policy.dispose();
    throw error;
  }
}

/**
 * What the file does not hold: its activation, and what two outputs per action mean. Needs no
 * engine.
 */
export async function planFlight(
  path: string,
  checkpoint: RslRlCheckpoint,
  options: TeacherOptions = {},
): Promise<FlightPlan> {
  const { role, actor } = choose(path, checkpoint, options.role);
  const own = ownFacts(checkpoint.infos, role);
  const config = own === undefined ? await findAgentConfig(path, role) : undefined;
  const notes: string[] = [...(checkpoint.notes ?? []), ...oddities(actor)];
  const sources = { own, config, actor, checkpoint, path };
  const chosen = chooseActivation(sources, options, notes);
  const head = own?.head ?? checkpoint.head ?? chooseHead(sources, options, notes);
  const history = own?.history ?? 1;
  if (actor.inputWidth % history !== 0) throw badHistory(path, actor, history);
  const { groups, path: from = path } = config ?? {};
  const configured = groups && { groups, path: from };
  const { vision, reads } = own ?? {};
  const known = { ...(reads && { reads }), ...(configured && { configured }) };
  const seen = vision ? { vision, actor: { ...actor, inputWidth: widthOf(vision) } } : { actor };
  return { role, ...seen, ...chosen, head, history, ...known, notes };
}

/** Of an observation, pictures and all. */
function widthOf({ groups }: VisionFacts): number {
  return groups.reduce((sum, { shape }) => sum + elementsOf(shape), 0);
}

interface Sources {
  readonly path: string;
  readonly own: OwnFacts | undefined;
  readonly config: AgentConfig | undefined;
  readonly checkpoint: RslRlCheckpoint;
  readonly actor: RslRlActor;
}

/** Above this a noise explores nothing. */
const LARGEST_STD = 10;

/** What is allowed and rarely meant. */
function oddities({ std, normaliser }: RslRlActor): string[] {
  const largest = std ? Math.max(...std) : 0;
  const unseen = normaliser?.count === 0 && normaliser.mean.every((value) => value === 0);
  return [
    ...(largest > LARGEST_STD
      ? [
          `its noise has a standard deviation of ${largest.toPrecision(3)}: the training had probably diverged`,
        ]
      : []),
    ...(unseen ? ["its normaliser has seen no observation: it was made and never fed"] : []),
  ];
}

function choose(path: string, checkpoint: RslRlCheckpoint, role?: "student" | "teacher") {
  if (checkpoint.kind === "distillation") {
    const chosen = role ?? "student";
    const actor = checkpoint[chosen];
    if (actor.actionWidth > 0) return { role: chosen, actor } as const;
    throw new PolicyError(
      "unknown-role",
      `${path} holds no network for its ${chosen}, which was flown by something else`,
      "Leave the role out: its student can fly.",
    );
  }
  if (role === undefined) return { role: "actor", actor: checkpoint.actor } as const;
  throw new PolicyError(
    "unknown-role",
    `${path} holds one policy, the actor, and no ${role}`,
    "Leave the role out, or give a checkpoint of a distillation run.",
  );
}

function badHistory(path: string, { inputWidth }: RslRlActor, history: number): CheckpointError {
  return new CheckpointError(
    "bad-history",
    `${path}: a network that reads ${inputWidth} numbers can't see ${history} equal observations`,
    "The file is damaged: use another checkpoint of the run.",
  );
}

function chooseActivation(
  { own, config, checkpoint, actor, path }: Sources,
  { activation: option, assume = true }: TeacherOptions,
  notes: string[],
): Pick<FlightPlan, "activation" | "activationFrom"> {
  if (option !== undefined) {
    return { activation: activationNamed(option).name, activationFrom: "option" };
  }
  const inFile = own?.activation ?? checkpoint.activation;
  if (inFile !== undefined) {
    return { activation: activationNamed(inFile).name, activationFrom: "checkpoint" };
  }
  if (config?.activation !== undefined) {
    const activation = activationNamed(config.activation).name;
    notes.push(`activation ${activation}, from ${config.path}`);
    return { activation, activationFrom: "agent.yaml" };
  }
  // A single layer has nothing behind it.
  if (actor.hidden.length === 0) return { activation: DEFAULT_ACTIVATION, activationFrom: "none" };
  if (!assume) throw noActivation(path);
  notes.push(
    `activation ${DEFAULT_ACTIVATION} is assumed: the checkpoint does not hold it and there is no params/agent.yaml beside it; --activation names another`,
  );
  return { activation: DEFAULT_ACTIVATION, activationFrom: "default" };
}

function noActivation(path: string): PolicyError {
  return new PolicyError(
    "no-activation",
    `${path} does not hold the activation between its layers, and no params/agent.yaml, config.yaml, config.json or cfgs.pkl near it names one`,
    "Name it: --activation elu, or relu, tanh, swish …: the one the policy was trained with. policy.assume_activation=true takes elu.",
  );
}

function chooseHead(
  { actor, config, path }: Sources,
  { distribution, assume = true }: TeacherOptions,
  notes: string[],
): Head {
  if (actor.outputWidth === actor.actionWidth) return { kind: "mean-and-noise" };
  const named = distribution ?? config?.distribution;
  if (named !== undefined && /beta/i.test(named)) {
    const [low, high] = config?.actionRange ?? [-1, 1];
    notes.push(`actions are the mean of a Beta distribution over [${low}, ${high}]`);
    return { kind: "beta", low, high };
  }
  if (named === undefined && !assume) throw noDistribution(path, actor);
  notes.push(
    `the network puts out ${actor.outputWidth} numbers for ${actor.actionWidth} actions: the first half is taken as the mean, the rest as noise`,
  );
  return { kind: "mean-and-noise" };
}

function noDistribution(path: string, { outputWidth, actionWidth }: RslRlActor): PolicyError {
  return new PolicyError(
    "no-distribution",
    `${path} puts out ${outputWidth} numbers for ${actionWidth} actions, mean and noise or a Beta distribution's, and no params/agent.yaml near it says which`,
    "Put that file beside it, or name the one: policy.teacher_distribution=gaussian, or beta.",
  );
}
