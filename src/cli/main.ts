import { Command } from "commander";
import { exitCodes } from "../training/exit-codes.ts";
import { version } from "../version.ts";
import { reportError } from "./report-error.ts";
import { withUnderscores } from "./slate-task.ts";
import { refuseFewFiles } from "./system-error.ts";
import { orUncaught } from "./uncaught.ts";

interface Door {
  readonly name: string;
  readonly description: string;
  /** Loads the room behind the door; most of them load TensorFlow or MuJoCo. */
  readonly register: (program: Command) => Promise<void>;
}

/** Those that open sockets, or load the libraries of a flight. */
const flying: ReadonlySet<string> = new Set([
  "train",
  "train_agent",
  "compare-plans",
  "eval",
  "sim",
  "conform",
  "chaos",
  "replay",
  "doctor",
]);

/** Those whose flags are spelt with underscores, or with hyphens. */
const underscored: ReadonlySet<string> = new Set(["train_ranker", "train_agent", "matrix"]);

const doors: readonly Door[] = [
  {
    name: "train",
    description: "train a student: from a teacher, or from recorded flights",
    register: async (program) => (await import("./train.ts")).registerTrain(program),
  },
  {
    name: "record",
    description: "fly a policy and keep the flights to learn from",
    register: async (program) => (await import("./record.ts")).registerRecord(program),
  },
  {
    name: "eval",
    description: "fly a run's student and its teacher, and compare",
    register: async (program) => (await import("./eval.ts")).registerEval(program),
  },
  {
    name: "compare-plans",
    description: "train a world model by every plan on the same recorded flights",
    register: async (program) => (await import("./compare-plans.ts")).registerComparePlans(program),
  },
  {
    name: "train_ranker",
    description: "train a ranker of slates, for agents to act through",
    register: async (program) => (await import("./train-ranker.ts")).registerTrainRanker(program),
  },
  {
    name: "train_agent",
    description: "train an agent on logged slates, acting through a ranker",
    register: async (program) => (await import("./train-agent.ts")).registerTrainAgent(program),
  },
  {
    name: "matrix",
    description: "train and evaluate agents with rankers of slates, all with all",
    register: async (program) => (await import("./matrix.ts")).registerMatrix(program),
  },
  {
    name: "watch",
    description: "show a run in progress, or one that is over",
    register: async (program) => (await import("./watch.ts")).registerWatch(program),
  },
  {
    name: "ctl",
    description: "steer a run in progress from another terminal",
    register: async (program) => (await import("./ctl.ts")).registerCtl(program),
  },
  {
    name: "runs",
    description: "list runs: task, algorithm, state, what their students returned",
    register: async (program) => (await import("./runs.ts")).registerRuns(program),
  },
  {
    name: "tasks",
    description: "list the tasks of the simulators inside",
    register: async (program) => (await import("./tasks.ts")).registerTasks(program),
  },
  {
    name: "sim",
    description: "serve the built-in simulator",
    register: async (program) => (await import("./sim.ts")).registerSim(program),
  },
  {
    name: "conform",
    description: "check a running simulator against the protocol",
    register: async (program) => (await import("./conform.ts")).registerConform(program),
  },
  {
    name: "chaos",
    description: "make faults between a runner and its simulator, by a script",
    register: async (program) => (await import("./chaos.ts")).registerChaos(program),
  },
  {
    name: "replay",
    description: "serve what train --record_wire has kept, in place of the simulator",
    register: async (program) => (await import("./replay.ts")).registerReplay(program),
  },
  {
    name: "keys",
    description: "make a pair of CURVE keys",
    register: async (program) => (await import("./keys.ts")).registerKeys(program),
  },
  {
    name: "inspect",
    description: "show what a checkpoint or a file of recorded flights holds",
    register: async (program) => (await import("./inspect.ts")).registerInspect(program),
  },
  {
    name: "export",
    description: "write a policy as ONNX, TensorFlow.js or a checkpoint of rsl_rl 2 to 5",
    register: async (program) => (await import("./export.ts")).registerExport(program),
  },
  {
    name: "parity",
    description: "repeat recorded updates of rsl_rl and compare",
    register: async (program) => (await import("./parity.ts")).registerParity(program),
  },
  {
    name: "completion",
    description: "write a script that completes command lines in bash, zsh or fish",
    register: async (program) =>
      (await import("./completion.ts")).registerCompletion(program, registerAll),
  },
  {
    name: "doctor",
    description: "check what this machine has for training",
    register: async (program) => (await import("./doctor.ts")).registerDoctor(program),
  },
];

/** Every command with its options, for whoever writes about them all. */
async function registerAll(program: Command): Promise<void> {
  for (const { name, register } of doors) if (name !== "completion") await register(program);
}

/** Runs one command line, `process.argv` without its first two words; gives the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  // A reader that went away (`firstsolo train | head`) must not end a run.
  process.stdout.on("error", () => undefined);
  process.stderr.on("error", () => undefined);
  try {
    // From now on it is known, and stays so where the folder is deleted in flight.
    process.cwd();
    await orUncaught(() => dispatch(args));
    return Number(process.exitCode ?? exitCodes.ok);
  } catch (error) {
    const command = doorOf(args)?.name;
    const debug = process.env.FIRSTSOLO_DEBUG === "1";
    const { text, exitCode } = reportError(error, { debug, ...(command && { command }) });
    process.stderr.write(text);
    return exitCode;
  }
}

function doorOf([first]: readonly string[]) {
  const asked = first?.replaceAll("-", "_");
  return doors.find(({ name }) => name.replaceAll("-", "_") === asked);
}

async function dispatch(args: readonly string[]): Promise<void> {
  if (args[0] === "help" && args[1]) return dispatch([args[1], "--help"]);
  const program = frame();
  const door = doorOf(args);
  if (door && flying.has(door.name)) refuseFewFiles();
  if (door) await door.register(program);
  else for (const { name, description } of doors) program.command(name).description(description);
  const words = door ? [door.name, ...args.slice(1)] : args;
  const spelt = door && underscored.has(door.name) ? withUnderscores(words) : words;
  await program.parseAsync([...spelt], { from: "user" });
}

/** Errors are thrown, and printed in one place and one form; commands inherit that. */
function frame(): Command {
  return new Command("firstsolo")
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .description("Distills a teacher policy into a student, in simulation.")
    .version(version(), "--version")
    .addHelpText("after", "\n`firstsolo COMMAND --help` shows the options of a command.");
}
