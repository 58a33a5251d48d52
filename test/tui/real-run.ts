import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { compiledProgram } from "../compiled.ts";
import { RealTerminal, type TerminalSize } from "./real-terminal.ts";

/** Twelve small environments and a small student, for longer than anybody waits, a few iterations a second. */
const tiny: readonly string[] = [
  ..."--num_envs 12 --max_iterations 100000 --num_steps_per_env 100".split(" "),
  ..."--phase1_iterations 90000 --threads 1".split(" "),
  "policy.student_hidden_dims=[16,16]",
  "algorithm.num_learning_epochs=1",
  "evaluation.env_share=0.34",
  "evaluation.window=1",
  "env.episode_length_s=0.4",
];

/** The whole program, flying tiny runs into a folder that is removed after the tests of the file. */
export function openAirfield() {
  const program = compiledProgram();
  const work = mkdtempSync(join(tmpdir(), "firstsolo-airfield-"));
  const terminals: RealTerminal[] = [];
  afterAll(() => {
    for (const terminal of terminals) terminal.kill();
    rmSync(work, { recursive: true, force: true });
  });
  let runs = 0;

  /** Words of a command that flies; each with a log root of its own, in which `runIn` finds the run. */
  const training = (...more: readonly string[]) => {
    const root = join(work, `logs-${runs++}`);
    mkdirSync(root);
    return { root, words: ["train", "--log_root", root, ...tiny, ...more] };
  };

  /** A sink that a person wrote, as a setting: `body` is its `write(iteration)`. */
  const sink = (name: string, body: string): string => {
    const module = join(work, `${name}.mjs`);
    const methods = `write(iteration) { ${body} }, event() {}, close: async () => {}`;
    writeFileSync(module, `export const openSink = () => ({ ${methods} });\n`);
    return `sinks=[{module: ${module}, export: openSink}]`;
  };

  const inTerminal = (words: readonly string[], size: TerminalSize): RealTerminal => {
    const terminal = new RealTerminal(program, words, size);
    terminals.push(terminal);
    return terminal;
  };

  return { program, work, training, sink, inTerminal };
}

/** The run folder in a log root; undefined until there is one. */
export function runIn(root: string): string | undefined {
  const experiment = readdirSync(root).at(0);
  const run = experiment && readdirSync(join(root, experiment)).at(0);
  return experiment && run && join(root, experiment, run);
}

/** What was asked for in a run: `request, by whom, done or not`. */
export function requestsOf(run: string): readonly (readonly [string, string, boolean])[] {
  const lines = readFileSync(join(run, "events.jsonl"), "utf8").trim().split("\n");
  return lines
    .map((line) => JSON.parse(line))
    .filter(({ type }) => type === "request")
    .map(({ request, by, outcome }) => [request, by, outcome === "done"]);
}
