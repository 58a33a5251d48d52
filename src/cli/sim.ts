import { type Command, InvalidArgumentError, Option } from "commander";
import { isPicture, pictureGroups } from "../../protocol/env-spec.ts";
import type { Settings } from "../../protocol/settings.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import { builtInFor, tasksText } from "../../sim-adapters/built-in.ts";
import { readKeyFile } from "../../sim-adapters/curve-keys.ts";
import { type EnvServer, type OpenRequest, serveEnv } from "../../sim-adapters/serve/serve-env.ts";
import { ServeError } from "../../sim-adapters/serve/serve-error.ts";
import type { ServerCurve } from "../../sim-adapters/serve/zap.ts";
import { ConfigError } from "../config/config-error.ts";
import { readOverrides } from "../config/overrides.ts";
import { savePictures } from "./save-pictures.ts";

interface SimOptions {
  readonly task: string;
  readonly num_envs?: number;
  readonly threads?: number;
  readonly shared_memory?: "auto" | "off";
  readonly bind?: string;
  readonly connect?: string;
  readonly curve_server_key_file?: string;
  readonly curve_client_key_file?: readonly string[];
  readonly save_pictures?: string;
  readonly once?: boolean;
  readonly exitWithStdin?: boolean;
}

/** What is simulated when neither side says how many. */
const defaultEnvs = 100;

/**
 * Milliseconds for a step under way and the last reply; a driver that waits for more is told by the
 * closed socket.
 */
const patience = 3000;

export function registerSim(program: Command): void {
  program
    .command("sim")
    .description("serve a built-in simulator to a runner in another process")
    .argument("[overrides...]", "settings of the simulator: KEY=VALUE or env.KEY=VALUE")
    .option("--task <NAME>", "what is flown", "quadcopter-noisy")
    .option(
      "--num_envs <N>",
      `environments; default: the runner's, else ${defaultEnvs}`,
      wholeNumber,
    )
    .option(
      "--threads <N>",
      "cores that simulate; default: two where that is worthwhile",
      wholeNumber,
    )
    .addOption(
      new Option(
        "--shared_memory <MODE>",
        "arrays through memory shared with a runner on this machine",
      )
        .choices(["auto", "off"])
        .default("auto"),
    )
    .option("--bind <ENDPOINT>", "listen at ipc://PATH or tcp://127.0.0.1:PORT")
    .option("--connect <ENDPOINT>", "dial out to a runner that listens (train --listen)")
    .option("--curve_server_key_file <FILE>", "our own secret CURVE key; the network needs it")
    .option("--curve_client_key_file <FILE>", "public key of a runner let in; repeatable", append)
    .option(
      "--save_pictures <FOLDER>",
      "fly two seconds by itself and write what the cameras see as PNGs; serves nothing",
    )
    .option("--once", "end when the first runner has left")
    .option("--exit-with-stdin", "end when standard input does, as when whoever started us dies")
    .addHelpText("after", `\n${tasksText()}`)
    .action((overrides: string[], options: SimOptions) =>
      serve(overrides, options, program.version() ?? "0"),
    );
}

async function serve(overrides: readonly string[], options: SimOptions, version: string) {
  const { task, num_envs: numEnvs, bind, connect, once = false } = options;
  const { threads = "auto", shared_memory: sharedMemory = "auto" } = options;
  const settings = settingsOf(overrides);
  if (options.save_pictures !== undefined) {
    await film(options.save_pictures, { task, settings, numEnvs });
    return;
  }
  const simulator = builtInFor(task);
  const spec = await simulator.foresee({ task, numEnvs: numEnvs ?? defaultEnvs, settings });
  const curve = await curveOf(options);
  const server = await serveEnv({
    open: (asked) => open(asked, { task, settings, numEnvs, threads }),
    sharedMemory,
    name: simulator.name,
    version,
    once,
    onLog: (line) => console.error(`sim: ${line}`),
    ...(bind === undefined ? {} : { bind }),
    ...(connect === undefined ? {} : { connect }),
    ...(curve === undefined ? {} : { curve }),
  });
  const size =
    numEnvs === undefined ? "as many environments as asked for" : `${numEnvs} environments`;
  console.log(`sim: ready at ${server.endpoint}: ${describe(spec, size)}`);
  await untilEnd(server, options.exitWithStdin === true);
}

/** What the cameras see, for a person. */
async function film(folder: string, { task, settings, numEnvs = 4 }: Served): Promise<void> {
  const env = await builtInFor(task).open({ task, numEnvs, settings });
  try {
    const paths = await savePictures(env, folder);
    console.log(`sim: ${paths.length} pictures of ${task} in ${folder}: ${pictureText(env.spec)}`);
  } finally {
    await env.close();
  }
}

/** E.g. `camera [32,32,2]: front.depth, front.goal`. */
function pictureText(spec: EnvSpec): string {
  const texts = pictureGroups(spec).map((group) => {
    const { shape, names = [] } = spec.observations[group]!;
    return `${group} [${shape}]: ${names.join(", ")}`;
  });
  return texts.join("; ");
}

interface Served {
  readonly task: string;
  readonly settings: Settings;
  readonly numEnvs?: number | undefined;
  readonly threads?: number | "auto";
}

/** The runner's settings win over ours. */
async function open(asked: OpenRequest, { task, settings, numEnvs, threads }: Served) {
  if (numEnvs !== undefined && asked.numEnvs !== undefined && numEnvs !== asked.numEnvs) {
    const message = `${asked.numEnvs} environments were asked for, the simulator has ${numEnvs}`;
    const hint = `Ask for ${numEnvs}, or start the simulator without --num_envs.`;
    throw new ServeError("num-envs-refused", message, { hint });
  }
  return builtInFor(task).open({
    task,
    ...(threads === undefined ? {} : { threads }),
    numEnvs: numEnvs ?? asked.numEnvs ?? defaultEnvs,
    settings: { ...settings, ...asked.settings },
    groups: asked.groups,
  });
}

function settingsOf(overrides: readonly string[]): Settings {
  const settings = readOverrides(overrides);
  return Object.fromEntries(
    settings.map(({ name, value }) => [name.replace(/^env\./, ""), value]),
  ) as Settings;
}

/** @throws ConfigError when only one side's key is given, EndpointError for a bad file. */
async function curveOf(options: SimOptions): Promise<ServerCurve | undefined> {
  const { curve_server_key_file: own, curve_client_key_file: clients = [] } = options;
  if (own === undefined && clients.length === 0) return undefined;
  if (own === undefined || clients.length === 0) {
    const message = "CURVE needs the simulator's own secret key and a public key per runner";
    const hint = "Give both --curve_server_key_file and --curve_client_key_file.";
    throw new ConfigError("bad-curve", message, hint);
  }
  const { publicKey, secretKey = "" } = await readKeyFile(own, { secret: true });
  const keys = await Promise.all(clients.map((path) => readKeyFile(path, { secret: false })));
  return { publicKey, secretKey, allowedClients: keys.map((key) => key.publicKey) };
}

function describe(
  { task, controlPeriod, maxEpisodeSteps, ...spec }: EnvSpec,
  size: string,
): string {
  const groups = Object.entries(spec.observations).map(
    ([name, tensor]) => `${name} [${tensor.shape}]${isPicture(tensor) ? " (picture)" : ""}`,
  );
  return (
    `${task}, ${size}, ${controlPeriod} s per step, ${maxEpisodeSteps} steps per episode, ` +
    `observations ${groups.join(" ")}, action [${spec.action.shape}]`
  );
}

/**
 * Ends well on SIGINT, SIGTERM, the end of standard input if that is watched, or the first runner's
 * leaving.
 */
async function untilEnd(server: EnvServer, watchStdin: boolean): Promise<void> {
  let end: () => void = () => {};
  const asked = new Promise<void>((resolve) => {
    end = resolve;
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, end);
  if (watchStdin) process.stdin.on("end", end).on("close", end).on("error", end).resume();
  let late: NodeJS.Timeout | undefined;
  try {
    await Promise.race([server.done, asked]);
    const tooLate = new Promise((resolve) => {
      late = setTimeout(resolve, patience);
    });
    await Promise.race([server.close(), tooLate]);
  } finally {
    clearTimeout(late);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.off(signal, end);
    if (watchStdin) process.stdin.removeAllListeners().pause();
  }
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError("Expected a whole number.");
}

function append(path: string, paths: readonly string[] = []): readonly string[] {
  return [...paths, path];
}
