import { existsSync } from "node:fs";
import type { Command } from "commander";
import { wordsOf } from "../../protocol/visible.ts";
import { RequestQueue } from "../running/requests.ts";
import { locateRun } from "../runs/locate-run.ts";
import { measure } from "../session/measure.ts";
import { warn } from "../training/messages.ts";
import { watchSignals } from "../training/signals.ts";
import { wholeFlag } from "./number-flag.ts";

interface EvalOptions {
  readonly episodes: string;
  readonly last?: boolean;
  readonly num_envs?: string;
  readonly sim?: string;
  readonly seed?: string;
  readonly device?: string;
  readonly planner?: string;
  readonly shuffle_group?: string;
  readonly against?: string;
  readonly task?: string;
  readonly json?: boolean;
}

export function registerEval(program: Command): void {
  program
    .command("eval")
    .description("fly a run's student and its teacher, greedily, and compare")
    .argument(
      "[run]",
      "a run folder (its best student, else the last), or a checkpoint in it; default: the newest under logs/rsl_rl",
    )
    .argument("[overrides...]", "env.KEY=VALUE, sim.KEY=VALUE: the simulator and the way to it")
    .option("--episodes <N>", "whole episodes of each pilot, at least", "200")
    .option("--last", "the last student instead of the best one")
    .option("--num_envs <N>", "environments flown side by side (default: the run's)")
    .option("--seed <N>", "of the episodes (default: the run's)")
    .option("--sim <ENDPOINT>", "a simulator that is running (default: the run's choice)")
    .option("--device <NAME>", "where TensorFlow computes (default: the run's choice)")
    .option(
      "--against <WHO>",
      "who flies beside the student in place of its teacher: a file, a run, hover, pid, simulator; of slates random, logging, oracle, greedy",
    )
    .option(
      "--task <NAME>",
      "fly any policy alone in this task: a checkpoint, an ONNX file, hover, pid, latest; of slates random, logging, oracle, greedy",
    )
    .option("--planner <NAME>", "who plans in a learned model before acting: mcts or one_step")
    .option(
      "--shuffle_group <GROUP>",
      "also fly the student with this group's rows shuffled between environments: does it use them?",
    )
    .option("--json", "one JSON document")
    .action((run: string | undefined, more: string[], options: EvalOptions) => {
      // Without a run the first argument is an override already.
      const named = run !== undefined && !isOverride(run);
      const path = options.task !== undefined && named ? run : locateRunOf(named ? run : undefined);
      const overrides = named || run === undefined ? more : [run, ...more];
      return evaluateCommand(path, overrides, { ...options, version: program.version() ?? "0" });
    });
}

type Evaluating = EvalOptions & { readonly version: string };

async function evaluateCommand(path: string, overrides: string[], options: Evaluating) {
  const signals = watchSignals(new RequestQueue(), warn);
  try {
    const episodes = wholeFlag("--episodes", options.episodes);
    const order = { ...options, episodes, stop: signals.abort, warn };
    const figures = await measure(path, overrides, order);
    console.log(options.json ? JSON.stringify(figures) : describe(figures));
  } finally {
    signals.release();
  }
}

function describe(figures: Readonly<Record<string, unknown>>): string {
  const known = Object.entries(figures).filter(([, value]) => value !== null);
  const width = Math.max(...known.map(([name]) => name.length));
  const lines = known.map(
    ([name, value]) =>
      `${name.padStart(width)}: ${typeof value === "number" ? +value.toFixed(4) : wordsOf(value)}`,
  );
  return lines.join("\n");
}

/** What was named, or the newest run. */
function locateRunOf(named: string | undefined): string {
  if (named !== undefined) return named;
  const newest = locateRun(undefined);
  warn(`the newest run: ${newest}`);
  return newest;
}

function isOverride(argument: string): boolean {
  return /^\+*[\w.]+=/.test(argument) && !existsSync(argument);
}
