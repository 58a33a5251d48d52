import { builtInFor } from "../../sim-adapters/built-in.ts";
import { readClientCurve } from "../../sim-adapters/curve-keys.ts";
import type { RemoteEnv, RemoteOptions } from "../../sim-adapters/remote/remote-env.ts";
import { restartOwn, waitForOther } from "../../sim-adapters/remote/revival-plan.ts";
import { type Attempt, RevivingEnv } from "../../sim-adapters/remote/reviving-env.ts";
import type { TapeWriter } from "../../sim-adapters/tape/tape.ts";
import type { Wish } from "../algorithms/algorithm.ts";
import type { Config } from "../config/schema.ts";
import { connectWanted } from "./connect-wanted.ts";
import { startSimulator } from "./own-simulator.ts";
import { SimulatorLog } from "./simulator-log.ts";

export interface SimulatorOptions {
  /** What the algorithm reads. */
  readonly wishes: readonly Wish[];
  readonly onNotice: (line: string) => void;
  readonly onWaiting: (line: string) => void;
  /** Ours, for the simulator's log. */
  readonly version: string;
  /** Ends connecting and every waiting call. */
  readonly signal: AbortSignal;
  /** Aborted where the flight is to land: another's simulator, once lost, is not waited for. */
  readonly landing?: AbortSignal;
  /** Nobody asked for a number of environments: a simulator that has another one than ours is taken as it is. */
  readonly anyNumber?: boolean;
  /** The run this is for: another process that goes on with it takes the simulator over at once. */
  readonly run?: string;
  /** Keeps a copy of what goes over the wire; closed with the simulator. */
  readonly tape?: TapeWriter;
  /**
   * Whoever flies understands EnvRevived: a lost simulator is started again (`sim.restarts`) or waited for
   * (`sim.wait`). Default: its loss is an error.
   */
  readonly revive?: boolean;
}

/** A connected simulator, and how to be rid of it. */
export interface Simulator {
  readonly env: RevivingEnv<RemoteEnv>;
  /** One line for people. */
  readonly description: string;
  /** The latest lines a simulator of our own printed. */
  readonly log: () => readonly string[];
  /** Writes those, and all it prints from now on, to a file. */
  readonly logTo: (path: string) => void;
  close(): Promise<void>;
}

/** Connects to the simulator the configuration names, or starts the built-in one in its own process. */
export async function openSimulator(config: Config, options: SimulatorOptions): Promise<Simulator> {
  return config.sim.endpoint === null
    ? startOwn(config, options)
    : connectNamed(config, config.sim.endpoint, options);
}

async function connectNamed(
  config: Config,
  endpoint: string,
  options: SimulatorOptions,
): Promise<Simulator> {
  const { curve_server_key_file, curve_client_key_file, listen, insecure } = config.sim;
  const curve =
    curve_server_key_file && curve_client_key_file
      ? await readClientCurve(curve_server_key_file, curve_client_key_file)
      : undefined;
  const where = { endpoint, listen, insecure, ...(curve ? { curve } : {}) };
  const env = await RevivingEnv.open({
    open: (attempt) =>
      connectSized({ ...remoteOptions(config, options, attempt), ...where }, options),
    plan: waitForOther(options.revive === true ? config.sim.wait : 0),
    signal: options.signal,
    ...(options.landing === undefined ? {} : { landing: options.landing }),
    onLost: options.onNotice,
  });
  const { name, version } = env.current.welcome.server;
  if (env.spec.task !== config.task) {
    options.onNotice(
      `the simulator flies its own task '${env.spec.task}'; '${config.task}' is for the one built in`,
    );
  }
  return {
    env,
    description: `${name} ${version} at ${env.current.endpoint}`,
    log: () => [],
    logTo: () => {},
    close: () => env.close().finally(() => options.tape?.close()),
  };
}

/** A number of environments that was only our default is no reason to part. */
async function connectSized(
  { numEnvs, ...remote }: RemoteOptions,
  { wishes, anyNumber, onNotice }: SimulatorOptions,
): Promise<RemoteEnv> {
  const asked = remote.expected?.numEnvs ?? numEnvs;
  try {
    return await connectWanted(wishes, {
      ...remote,
      ...(asked === undefined ? {} : { numEnvs: asked }),
    });
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (anyNumber !== true || code !== "num-envs-refused") throw error;
    const env = await connectWanted(wishes, remote);
    onNotice(
      `the simulator has ${env.spec.numEnvs} environments; --num_envs asks for another number`,
    );
    return env;
  }
}

async function startOwn(config: Config, options: SimulatorOptions): Promise<Simulator> {
  const log = new SimulatorLog();
  let close: () => Promise<void> = async () => {};
  let pid: number | undefined;
  const open = async (attempt: Attempt) => {
    // A lost one may still be there, and hang.
    await close();
    const own = await startSimulator(config, log);
    ({ close, pid } = own);
    const { endpoint, exited, remark } = own;
    if (remark !== undefined) options.onNotice(remark);
    return connectWanted(reported(options.wishes, config.task), {
      ...remoteOptions(config, options, attempt),
      endpoint,
      exited,
    }).catch(async (error) => {
      await close();
      throw own.refusal() ?? error;
    });
  };
  const env = await RevivingEnv.open({
    open,
    plan: restartOwn(options.revive === true ? config.sim.restarts : 0),
    signal: options.signal,
    onLost: options.onNotice,
  });
  const closeAll = () =>
    env
      .close()
      .finally(() => close())
      .finally(() => options.tape?.close())
      .finally(() => log.close());
  return {
    env,
    description: `the built-in ${builtInFor(config.task).title}, process ${pid}`,
    log: () => log.tail(200),
    logTo: (path) => log.to(path),
    close: closeAll,
  };
}

/** With the groups from which this task's episodes are judged. */
function reported(wishes: readonly Wish[], task: string): readonly Wish[] {
  const { reportReads = [] } = builtInFor(task);
  return wishes.map((wish) =>
    wish.groups ? { ...wish, groups: [...new Set([...wish.groups, ...reportReads])] } : wish,
  );
}

function remoteOptions(
  config: Config,
  options: SimulatorOptions,
  { expected, patience, signal }: Attempt,
): Omit<RemoteOptions, "endpoint"> {
  return {
    settings: config.env,
    numEnvs: config.num_envs,
    startupTimeout: Math.min(config.sim.startup_timeout, patience ?? Number.POSITIVE_INFINITY),
    resetTimeout: config.sim.reset_timeout,
    stepTimeout: config.sim.step_timeout,
    // What goes through memory is not on the wire that is recorded.
    sharedMemory: options.tape === undefined ? config.sim.shared_memory : "off",
    signal: signal === undefined ? options.signal : AbortSignal.any([options.signal, signal]),
    client: { name: "firstsolo", version: options.version },
    onNotice: options.onNotice,
    onWaiting: options.onWaiting,
    ...(options.tape === undefined ? {} : { tape: options.tape }),
    ...(options.run === undefined ? {} : { run: options.run }),
    ...(expected === undefined ? {} : { expected }),
  };
}
