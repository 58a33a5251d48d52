/**
 * What a student can learn that sees less: our runs beside rsl_rl's on the tasks of the built-in
 * simulator, with an MLP and with a GRU.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shippedTeacher } from "../src/cli/shipped-teacher.ts";
import { askChild, benchScript, program, startServer } from "./children.ts";
import { peerPackages, pythonPath, pythonWith } from "./python.ts";
import { type Bench, type BenchOptions, missing, type Row } from "./report.ts";
import { trainWatched } from "./training.ts";

const tasks = ["quadcopter-noisy", "quadcopter-blind", "quadcopter-random"] as const;
const students = { MLP: null, GRU: "gru" } as const;
const rnnWidth = 128;
/** 960,000 environment steps. */
const iterations = 400;

type Student = keyof typeof students;

export const studentsBench: Bench = {
  title:
    "students: return as a share of the teacher's after 960 000 environment steps; ours against rsl_rl's",
  run: async (options) => {
    const python = await pythonWith("peer", peerPackages, options.say);
    const rows: Row[] = [];
    for (const task of tasks) {
      for (const student of Object.keys(students) as Student[]) {
        for (const seed of options.seeds) {
          rows.push(await studentRow(python, { task, student, seed }, options));
        }
      }
    }
    return rows;
  },
};

interface Case {
  readonly task: string;
  readonly student: Student;
  readonly seed: number;
}

async function studentRow(python: string, one: Case, { say }: BenchOptions): Promise<Row> {
  const what = `${one.task}, ${one.student}, seed ${one.seed}`;
  say(`${what}: ours`);
  const ours = await column("ours", () => flyOurs(one));
  say(`${what}: rsl_rl`);
  const peer = await column("rsl_rl", () => flyPeer(python, one));
  const note = [ours.note, peer.note].filter(Boolean).join("; ");
  return { what, figures: { ...ours.figures, ...peer.figures }, ...(note ? { note } : {}) };
}

/** One side's figures; a side that fails leaves the other's standing. */
async function column(side: string, fly: () => Promise<Reached>): Promise<Omit<Row, "what">> {
  try {
    const { ratio, seconds } = await fly();
    return { figures: { [`${side}, %`]: 100 * ratio, [`${side}, s`]: seconds } };
  } catch (error) {
    return missing(side, error);
  }
}

interface Reached {
  readonly ratio: number;
  readonly seconds: number;
}

async function flyOurs({ task, student, seed }: Case): Promise<Reached> {
  const memory =
    students[student] === null
      ? []
      : [`policy.rnn_type=${students[student]}`, `policy.rnn_hidden_dim=${rnnWidth}`];
  const args = ["--task", task, "--seed", String(seed), "--max_iterations", String(iterations)];
  const { summary } = await trainWatched([...args, ...memory], { seconds: 900 });
  return { ratio: summary.student_vs_teacher ?? Number.NaN, seconds: summary.seconds };
}

interface PeerReport {
  readonly reached: readonly {
    readonly seconds: number;
    readonly student_return: number;
    readonly teacher_return: number;
  }[];
}

async function flyPeer(python: string, { task, student, seed }: Case): Promise<Reached> {
  const folder = mkdtempSync(join(tmpdir(), "firstsolo-bench-"));
  const endpoint = `ipc://${folder}/sim.ipc`;
  const sim = [program, "sim", "--task", task, "--num_envs", "100", "--exit-with-stdin"];
  try {
    const args = [...sim, "--bind", endpoint];
    const server = await startServer(process.execPath, args, { ready: /^sim: ready/ });
    try {
      const rnn = { rnn_type: students[student], rnn_hidden_dim: rnnWidth };
      const teacher = shippedTeacher(task);
      const order = { endpoint, teacher, seed, iterations: [iterations], ...rnn };
      const asked = [benchScript("peer_distillation"), JSON.stringify(order)];
      const report = await askChild<PeerReport>(python, asked, { seconds: 1200, env: pythonPath });
      const [end] = report.reached;
      return { ratio: end!.student_return / end!.teacher_return, seconds: end!.seconds };
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
