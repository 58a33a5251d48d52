/**
 * What the screen costs: `node dist/bench/screen-cost.js [ITERATIONS] [REPETITIONS]` flies the same run in a
 * pseudo terminal without any output, with plain lines and with the screen, in turn. Beside wall time, which
 * others on the machine move too, it tells the processor time of the thread that flies and draws (Linux).
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { program } from "./children.ts";
import { describeMachine } from "./machine.ts";
import { type Row, table } from "./report.ts";
import { Terminal, textOf } from "./terminal.ts";
import { median } from "./timing.ts";

const iterations = Number(process.argv[2] ?? 200);
const repetitions = Number(process.argv[3] ?? 3);
const modes = ["none", "plain", "tui"] as const;

interface Cost {
  /** Seconds between the first row and the last. */
  readonly wall: number;
  /** Processor seconds of the main thread in that time. */
  readonly main: number;
  /** Those of all threads. */
  readonly all: number;
}

/** Unix seconds, processor seconds of the main thread, of the whole process. */
type Sample = readonly [time: number, main: number, all: number];

/** Loaded into the process that trains; the simulator's own process doesn't get it. */
const hook = `
import { readFileSync, writeFileSync } from "node:fs";
const samples = [];
const look = () => {
  const stat = readFileSync("/proc/self/task/" + process.pid + "/stat", "utf8");
  const words = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const { user, system } = process.cpuUsage();
  samples.push([Date.now() / 1000, (Number(words[11]) + Number(words[12])) / 100, (user + system) / 1e6]);
};
setInterval(look, 200).unref();
process.on("exit", () => { look(); writeFileSync("cost.json", JSON.stringify(samples)); });
`;

async function fly(ui: string): Promise<Cost> {
  const cwd = mkdtempSync(join(tmpdir(), "firstsolo-cost-"));
  const own = ["--import", `data:text/javascript,${encodeURIComponent(hook)}`];
  const what = ["--ui", ui, "--max_iterations", String(iterations), "--seed", "1"];
  const where = ["--log_root", cwd, "--experiment_name", "cost", "--threads", "1"];
  const rest = [
    "agent.evaluation.final_episodes=0",
    `agent.algorithm.phase1_iterations=${iterations >> 2}`,
  ];
  const words = [process.execPath, ...own, program, "train", ...what, ...where, ...rest];
  const terminal = new Terminal(words, { columns: 120, rows: 40, cwd });
  try {
    const code = await terminal.ended;
    if (code !== 0) throw new Error(`--ui ${ui} ended with ${code}:\n${textOf(terminal.screen)}`);
    return costOf(cwd);
  } finally {
    terminal.kill();
    rmSync(cwd, { recursive: true, force: true });
  }
}

function costOf(folder: string): Cost {
  const samples: readonly Sample[] = JSON.parse(readFileSync(join(folder, "cost.json"), "utf8"));
  const experiment = join(folder, "cost");
  const run = join(experiment, readdirSync(experiment)[0]!);
  const csv = readFileSync(join(run, "metrics.csv"), "utf8").trimEnd().split("\r\n");
  const at = csv[0]!.split(",").indexOf("time");
  const time = (line: string) => Number(line.split(",")[at]);
  const [from, to] = [nearest(samples, time(csv[1]!)), nearest(samples, time(csv.at(-1)!))];
  return { wall: to[0] - from[0], main: to[1] - from[1], all: to[2] - from[2] };
}

function nearest(samples: readonly Sample[], time: number): Sample {
  return samples.reduce((best, one) =>
    Math.abs(one[0] - time) < Math.abs(best[0] - time) ? one : best,
  );
}

const found = new Map<string, Cost[]>(modes.map((mode) => [mode, []]));
for (let i = 0; i < repetitions; i++) {
  for (const mode of modes) {
    const cost = await fly(mode);
    found.get(mode)!.push(cost);
    const { wall, main, all } = cost;
    console.log(
      `${mode}: ${wall.toFixed(1)} s, main ${main.toFixed(1)} s, all ${all.toFixed(1)} s`,
    );
  }
}
const middle = (mode: string, what: keyof Cost) => median(found.get(mode)!.map((c) => c[what]));
const rows: Row[] = modes.map((mode) => ({
  what: `--ui ${mode}`,
  figures: {
    "wall s": middle(mode, "wall"),
    "main thread CPU s": middle(mode, "main"),
    "all threads CPU s": middle(mode, "all"),
    "cost, % of wall": share(mode),
  },
}));
const title = `the screen's cost: ${iterations} iterations, median of ${repetitions}`;
console.log(table({ name: "screen", title, rows, seconds: 0 }));
console.log(JSON.stringify(describeMachine()));

/** What the main thread does more than without output, over the time of the run without output. */
function share(mode: string): number {
  return (100 * (middle(mode, "main") - middle("none", "main"))) / middle("none", "wall");
}
