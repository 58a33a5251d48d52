import { nearest } from "../protocol/nearest.ts";
import type { EnvSpec } from "../protocol/spec.ts";
import type { EpisodeReport } from "./episode-report.ts";
import { SimError } from "./inside/sim-error.ts";
import { taskNames as quadcopterTasks } from "./mujoco/tasks.ts";
import { patientAliases, patientTasks, researchOnly } from "./patient/tasks.ts";
import type { ServedEnv } from "./serve/served-env.ts";
import { slatesAliases, slatesTasks } from "./slates/tasks.ts";

export interface OpenOptions {
  readonly task: string;
  readonly numEnvs: number;
  /** Overrides by dotted name, without `env.`. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Observation groups that are wanted; what nobody wants need not be made. Absent: all. */
  readonly groups?: readonly string[] | undefined;
  /** Cores, where it can use several; the numbers are the same. */
  readonly threads?: number | "auto";
}

/** A simulator that is inside, and what it flies. Loaded when it is opened. */
export interface BuiltIn {
  /** As its server is called. */
  readonly name: string;
  /** For people, after "the built-in". */
  readonly title: string;
  /** Every name that it understands. */
  readonly tasks: readonly string[];
  /** Spellings of those that need no listing. */
  readonly spellings?: readonly string[];
  /** The pilot that is in the house for its tasks. */
  readonly pilot: string;
  /** What whoever sees its flights must know. */
  readonly notice?: string;
  /** What `open` would give, without building it. */
  foresee(options: OpenOptions): Promise<EnvSpec>;
  open(options: OpenOptions): Promise<ServedEnv>;
  /** What its field asks of an episode besides the return. */
  report?(spec: EnvSpec): Promise<EpisodeReport | undefined>;
  /** Observation groups that this reads, whoever flies. */
  readonly reportReads?: readonly string[];
}

const builtIns: readonly BuiltIn[] = [
  {
    name: "firstsolo-mujoco",
    title: "MuJoCo simulator",
    tasks: quadcopterTasks,
    pilot: "hover",
    foresee: async (options) => (await import("./mujoco/open-mujoco.ts")).foreseeMujoco(options),
    open: async (options) => (await import("./mujoco/open-mujoco.ts")).openMujoco(options),
  },
  {
    name: "firstsolo-patient",
    title: "patient simulator",
    tasks: [...patientTasks.map(({ name }) => name), ...Object.keys(patientAliases)],
    pilot: "pid",
    notice: researchOnly,
    foresee: async (options) => (await import("./patient/open-patient.ts")).foreseePatient(options),
    open: async (options) => (await import("./patient/open-patient.ts")).openPatient(options),
    report: async (spec) => (await import("./patient/clinical-report.ts")).clinicalReport(spec),
    reportReads: ["state"],
  },
  {
    name: "firstsolo-slates",
    title: "slates simulator",
    tasks: slatesTasks.map(({ name }) => name),
    spellings: Object.keys(slatesAliases),
    pilot: "logging",
    foresee: async (options) => (await import("./slates/open-slates.ts")).foreseeSlates(options),
    open: async (options) => (await import("./slates/open-slates.ts")).openSlates(options),
  },
];

/** For a `--help`: every task, and what must be known of it. */
export function tasksText(): string {
  const lines = builtIns.map(({ title, tasks, notice }) =>
    [`${title}: ${tasks.join(", ")}`, ...(notice === undefined ? [] : [`  ${notice}`])].join("\n"),
  );
  return lines.join("\n");
}

/** Names of all tasks, those of one simulator together; other spellings of a name are left out. */
export function builtInTasks(): readonly string[] {
  const others = new Set(Object.keys(patientAliases));
  return builtIns.flatMap(({ tasks }) => tasks.filter((task) => !others.has(task)));
}

/** What must be known of flights in a task; absent: nothing. */
export function noticeFor(task: string | undefined): string | undefined {
  return task === undefined ? undefined : simulatorOf(task)?.notice;
}

/** Undefined where nobody asks for more than returns. */
export async function reportFor(spec: EnvSpec): Promise<EpisodeReport | undefined> {
  return simulatorOf(spec.task)?.report?.(spec);
}

/** Whether one of ours flies it. */
export function isBuiltIn(task: string): boolean {
  return simulatorOf(task) !== undefined;
}

function simulatorOf(task: string): BuiltIn | undefined {
  return builtIns.find(
    ({ tasks, spellings = [] }) => tasks.includes(task) || spellings.includes(task),
  );
}

/** The simulator that flies a task. @throws SimError `unknown-task` */
export function builtInFor(task: string): BuiltIn {
  const found = simulatorOf(task);
  if (found !== undefined) return found;
  const known = builtIns.flatMap(({ tasks }) => tasks);
  const near = nearest(task, known);
  const guess = near === undefined ? "" : ` Did you mean ${near}?`;
  throw new SimError("unknown-task", `there is no task ${JSON.stringify(task.slice(0, 100))}`, {
    field: "task",
    hint: `Known: ${known.join(", ")}.${guess}`,
  });
}

/** Who flies a task where nobody is named; a simulator of somebody else's is taken for one of quadcopters. */
export function pilotFor(task: string): string {
  return (simulatorOf(task) ?? builtIns[0]!).pilot;
}
