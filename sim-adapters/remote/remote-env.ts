import { fromWireSpec, specDifferences, without } from "../../protocol/env-spec.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { Frame, StepResult } from "../../protocol/frame.ts";
import { protocolVersion, wireSeed } from "../../protocol/limits.ts";
import { parseRequest, type Replies, type Requests } from "../../protocol/messages.ts";
import { fromActions, fromState, toFrame, toState, toStepResult } from "../../protocol/payload.ts";
import type { Settings } from "../../protocol/settings.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import type { ClientCurve } from "../curve-keys.ts";
import type { TapeWriter } from "../tape/tape.ts";
import type { VectorEnv } from "../vector-env.ts";
import { Caller } from "./caller.ts";
import { failure } from "./failures.ts";
import { offersMemory, takeUpMemory } from "./memory.ts";
import { RemoteError } from "./remote-error.ts";
import type { LinkStats } from "./traffic.ts";

/** How long a simulator is waited for. */
interface Patience {
  /** Seconds until the simulator has loaded. Beats that it is loading extend them sixfold. Default 300. */
  readonly startupTimeout?: number;
  /** Seconds for a reset, a snapshot or a restore; beats extend them sixfold. Default 60. */
  readonly resetTimeout?: number;
  /** Seconds for one step; beats extend those of the first tenfold, others by nothing. Default 30. */
  readonly stepTimeout?: number;
}

export interface RemoteOptions extends Patience {
  /** `ipc:///path` or `tcp://host:port`. */
  readonly endpoint: string;
  /** Listen there and let the simulator dial in; exactly one may. */
  readonly listen?: boolean;
  /** `env.*` overrides by dotted name, without `env.`; checked by the simulator. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly numEnvs?: number;
  /** Observation groups that are wanted; the simulator sends no others. Default: all. */
  readonly groups?: readonly string[];
  /** Asks for the actions of the simulator's own teacher with every frame; `welcome`: where it has one. Default false. */
  readonly teacherActions?: boolean | "welcome" | undefined;
  /** Ends connecting and every waiting call. */
  readonly signal?: AbortSignal;
  /** Settles when the simulator's process has ended, with a line that says how. */
  readonly exited?: Promise<string>;
  /** The specification of an earlier session; a different one is refused with a list of the differences. */
  readonly expected?: EnvSpec;
  /** Keys, for a simulator beyond this machine: `firstsolo keys` makes them. */
  readonly curve?: ClientCurve;
  /** Speak to a simulator beyond this machine without CURVE. Default: refused. */
  readonly insecure?: boolean;
  /** Name of the run, 8 to 64 letters, digits, `_`, `-`: a later client of the same run takes over from this one. */
  readonly run?: string;
  /** Keeps a copy of what goes and comes, for `firstsolo replay`. */
  readonly tape?: TapeWriter;
  /**
   * Tensors through memory that both processes share instead of the socket. `auto`, the default: where the simulator runs on
   * this machine and can; `on`: or not at all.
   */
  readonly sharedMemory?: "auto" | "on" | "off";
  /** How this client calls itself. */
  readonly client?: { readonly name: string; readonly version: string };
  /** A line from the simulator for the person at the terminal. */
  readonly onNotice?: (line: string) => void;
  /** Every few seconds while something is waited for. */
  readonly onWaiting?: (line: string) => void;
  /** The real address, once this side listens. */
  readonly onListening?: (endpoint: string) => void;
}

/** What the simulator said about itself. */
export interface Welcome {
  readonly server: { readonly name: string; readonly version: string };
  /** Random per start of the server. */
  readonly epoch: string;
  readonly specHash: string;
  /** Settings in effect. */
  readonly settings: Settings;
  readonly notices: readonly string[];
  readonly capabilities: readonly string[];
}

interface Manner {
  /** Seconds. */
  readonly reset: number;
  readonly step: number;
  /** Whether the teacher's actions were asked for. */
  readonly taught: boolean;
}

const beatPatience = 6;
/** The first step may compile for minutes; later ones have no reason to. */
const firstStepPatience = 10;

/**
 * Waits for a simulator, greets it and gives it as an environment.
 *
 * @throws RemoteError, EndpointError, or ProtocolError when `settings` cannot travel.
 */
export async function connectRemote(options: RemoteOptions): Promise<RemoteEnv> {
  const { onNotice = () => {}, onWaiting = () => {}, startupTimeout = 300 } = options;
  if (options.signal?.aborted === true) throw failure.aborted();
  const caller = await Caller.open({ ...options, onWaiting });
  if (options.listen === true) options.onListening?.(caller.endpoint);
  let greeted = false;
  const abort = () => caller.fail(greeted ? failure.stopped() : failure.aborted());
  options.signal?.addEventListener("abort", abort, { once: true });
  caller.onClosed(() => options.signal?.removeEventListener("abort", abort));
  const gone = (reason: unknown) => caller.fail(failure.exited(reason));
  options.exited?.then(gone, gone);
  try {
    const hello = greeting(options, caller.wording.session);
    const budget = { seconds: startupTimeout, patience: beatPatience };
    const { header } = await caller.call(hello, {}, budget);
    greeted = true;
    caller.pin(header.epoch);
    const spec = accept(header, options);
    for (const line of minorDifference(header)) onNotice(line);
    for (const line of header.notices) onNotice(line);
    takeUpMemory(caller.wording, header.shared_memory, { ...options, spec });
    const { resetTimeout: reset = 60, stepTimeout: step = 30 } = options;
    const hasTeacher = spec.capabilities.includes("teacher_actions");
    const taught =
      hasTeacher && options.teacherActions !== undefined && options.teacherActions !== false;
    return new RemoteEnv(caller, spec, header, { reset, step, taught });
  } catch (error) {
    await caller.close();
    throw error;
  }
}

/** Many environments in another process. Same seed and actions, same bits as in this one. */
export class RemoteEnv implements VectorEnv {
  readonly spec: EnvSpec;
  readonly welcome: Welcome;
  /** There when the simulator has the capability `snapshot`. */
  readonly snapshot?: () => Promise<Uint8Array>;
  readonly restore?: (state: Uint8Array) => Promise<Frame>;
  readonly #caller: Caller;
  readonly #manner: Manner;
  /** What comes with frames: without the capabilities that were not taken up. */
  readonly #sent: EnvSpec;
  #stepped = false;

  constructor(caller: Caller, spec: EnvSpec, header: Replies["welcome"], manner: Manner) {
    this.spec = spec;
    this.#caller = caller;
    this.#manner = manner;
    this.#sent = manner.taught ? spec : without("teacher_actions", spec);
    const { server, epoch, settings, notices, capabilities } = header;
    this.welcome = { server, epoch, specHash: header.spec_hash, settings, notices, capabilities };
    if (!spec.capabilities.includes("snapshot")) return;
    this.snapshot = () => this.#snapshot();
    this.restore = (state) => this.#restore(state);
  }

  /** The address in use. */
  get endpoint(): string {
    return this.#caller.endpoint;
  }

  /** Bytes, and seconds of the last request. */
  get stats(): LinkStats {
    return this.#caller.stats;
  }

  /** Whether tensors go through shared memory, where they are large enough. */
  get sharesMemory(): boolean {
    return this.#caller.wording.shares;
  }

  /** Bits of the seed above 2^31 are dropped: many simulators overflow there. @throws RemoteError */
  async reset(seed: number): Promise<Frame> {
    const question = { type: "reset", seed: wireSeed(seed) } as const;
    const { tensors } = await this.#caller.call(question, {}, this.#slow());
    return this.#read("reset", () => toFrame(tensors, this.#sent));
  }

  /**
   * @param actions `[numEnvs, actionWidth]`, row-major, handed over for good
   * @throws RemoteError; a value that is not finite names its group, environment and component
   */
  async step(actions: Float32Array): Promise<StepResult> {
    const { header, tensors } = await this.#caller.call(
      { type: "step" },
      fromActions(actions, this.spec),
      { seconds: this.#manner.step, patience: this.#stepped ? 1 : firstStepPatience },
    );
    this.#stepped = true;
    return this.#read("step", () => toStepResult(header, tensors, this.#sent));
  }

  /** Tells the simulator and closes the socket; returns within a few seconds whatever happens. */
  async close(): Promise<void> {
    await this.#caller.close();
  }

  async #snapshot(): Promise<Uint8Array> {
    const { tensors } = await this.#caller.call({ type: "snapshot" }, {}, this.#slow());
    return this.#read("snapshot", () => toState(tensors));
  }

  async #restore(state: Uint8Array): Promise<Frame> {
    const sent = fromState(state);
    const { tensors } = await this.#caller.call({ type: "restore" }, sent, this.#slow());
    return this.#read("restore", () => toFrame(tensors, this.#sent));
  }

  #slow() {
    return { seconds: this.#manner.reset, patience: beatPatience };
  }

  #read<T>(what: string, reading: () => T): T {
    try {
      return reading();
    } catch (cause) {
      const error = failure.badReply(what, cause);
      this.#caller.fail(error);
      throw error;
    }
  }
}

function greeting(options: RemoteOptions, session: string) {
  const { settings = {}, groups, numEnvs, client, run } = options;
  const {
    seq: _,
    session: __,
    ...hello
  } = parseRequest({
    type: "hello",
    seq: 1,
    session,
    protocol: protocolVersion,
    client: client ?? { name: "firstsolo", version: "0" },
    capabilities: [
      ...(options.teacherActions ? ["teacher_actions"] : []),
      ...(offersMemory(options) ? ["shared_memory"] : []),
    ],
    settings,
    ...(groups === undefined ? {} : { groups: [...groups] }),
    ...(run === undefined ? {} : { run }),
    ...(numEnvs === undefined ? {} : { num_envs: numEnvs }),
  }) as Requests["hello"];
  return hello;
}

function accept(header: Replies["welcome"], options: RemoteOptions): EnvSpec {
  const { major } = header.protocol;
  if (major !== protocolVersion.major) {
    const message = `the simulator speaks version ${major} of the protocol, this is ${protocolVersion.major}`;
    const hint = "Install the same version of Firstsolo on both sides.";
    throw new RemoteError("version-mismatch", message, { hint });
  }
  const spec = readSpec(header);
  const { numEnvs, groups = [], expected } = options;
  if (numEnvs !== undefined && spec.numEnvs !== numEnvs) {
    const message = `asked for ${numEnvs} environments, the simulator has ${spec.numEnvs}`;
    const hint = `Ask for ${spec.numEnvs}, or start the simulator with ${numEnvs}.`;
    throw new RemoteError("num-envs-refused", message, { hint });
  }
  const known = Object.keys(spec.observations);
  const absent = groups.find((group) => !known.includes(group));
  if (absent !== undefined) {
    const message = `the simulator has no observation group ${absent}`;
    throw new RemoteError("unknown-group", message, { hint: `Known: ${known.join(", ")}.` });
  }
  if (options.teacherActions === true && !spec.capabilities.includes("teacher_actions")) {
    const message = "the simulator has no teacher of its own";
    const hint =
      "Name the teacher's file here, or start a simulator that has one (Isaac Lab's: --teacher_checkpoint FILE).";
    throw new RemoteError("no-teacher", message, { hint });
  }
  const differences = expected === undefined ? [] : specDifferences(expected, spec);
  if (differences.length > 0) throw failure.specChanged(differences);
  return spec;
}

function readSpec(header: Replies["welcome"]): EnvSpec {
  try {
    return fromWireSpec(header.spec, header.protocol.minor);
  } catch (error) {
    if (error instanceof ProtocolError) throw failure.badReply("hello", error);
    throw error;
  }
}

function minorDifference({ protocol }: Replies["welcome"]): string[] {
  if (protocol.minor === protocolVersion.minor) return [];
  const { major, minor } = protocolVersion;
  return [
    `the simulator speaks protocol ${protocol.major}.${protocol.minor}, this is ${major}.${minor}`,
  ];
}
