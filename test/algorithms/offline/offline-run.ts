/** Runs of algorithms on recorded flights in this process, with all that `train` gives them but a simulator. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Random } from "../../../policies/random.ts";
import type { EnvSpec } from "../../../protocol/spec.ts";
import type { Assembled } from "../../../src/algorithms/algorithm.ts";
import { completed, resolveConfig } from "../../../src/config/resolve.ts";
import { toYaml } from "../../../src/config/to-yaml.ts";
import { FlightWriter } from "../../../src/datasets/flight-writer.ts";
import { eagerly } from "../../../src/engine/compile/program.ts";
import { startEngine } from "../../../src/engine/start.ts";
import { RequestQueue } from "../../../src/running/requests.ts";
import { ControlMailbox } from "../../../src/runs/control.ts";
import { createRun } from "../../../src/runs/create-run.ts";
import { prepareRun } from "../../../src/training/assemble.ts";
import { exitCodeOf } from "../../../src/training/exit-codes.ts";
import { Notices } from "../../../src/training/messages.ts";
import { openSinks } from "../../../src/training/open-sinks.ts";
import { watchSignals } from "../../../src/training/signals.ts";
import { trainRun } from "../../../src/training/train-run.ts";

/** Of no simulator that there is. */
export function specOf({ observationWidth = 3, actionWidth = 2 }: Widths): EnvSpec {
  const bound = new Array<number>(actionWidth).fill(1);
  return {
    ...{ task: "synthetic", numEnvs: 1, controlPeriod: 0.02, autoreset: "same_step" },
    maxEpisodeSteps: 50,
    observations: { policy: { dtype: "<f4", shape: [observationWidth] } },
    action: { dtype: "<f4", shape: [actionWidth], low: bound.map((one) => -one), high: bound },
    capabilities: [],
  };
}

interface Widths {
  /** Default 3 and 2. */
  readonly observationWidth?: number;
  readonly actionWidth?: number;
}

export interface Synthetic extends Widths {
  readonly episodes: number;
  /** Standard deviation of the actions about 0, which are within ±1. */
  readonly actionStd: number;
  /** Of the observations; default 1. */
  readonly observationStd?: number;
}

/** Random observations and actions; the reward is ten times the first action, and the clock ends all episodes. */
export async function synthesise(path: string, synthetic: Synthetic) {
  const { episodes, actionStd, observationWidth = 3, actionWidth = 2 } = synthetic;
  const { observationStd = 1 } = synthetic;
  const random = new Random(5);
  const spec = specOf(synthetic);
  const steps = spec.maxEpisodeSteps;
  const normal = (count: number, std = 1) =>
    Float32Array.from({ length: count }, () => Math.max(-1, Math.min(1, std * random.normal())));
  const writer = await FlightWriter.create(path, spec, { existing: "replace" });
  for (let episode = 0; episode < episodes; episode += 1) {
    const truncated = new Uint8Array(steps);
    truncated[steps - 1] = 1;
    const actions = normal(actionWidth * steps, actionStd);
    const rewards = Float32Array.from(
      { length: steps },
      (_, step) => 10 * actions[actionWidth * step]!,
    );
    const arrays = {
      ...{ "obs/policy": normal(observationWidth * steps, observationStd), actions, rewards },
      ...{ terminated: new Uint8Array(steps), truncated },
    };
    writer.write(writer.start(), steps, {
      arrays,
      last: { policy: normal(observationWidth, observationStd) },
    });
  }
  return writer.close();
}

export interface Flown {
  readonly exitCode: number;
  /** What it ended with, where it failed. */
  readonly error: { readonly message: string; readonly hint: string; readonly code: string };
  readonly run: string;
  readonly events: readonly Readonly<Record<string, unknown>>[];
  readonly rows: readonly Readonly<Record<string, number>>[];
}

/** @param change of the parts of a run, before its first step */
export async function trainHere(
  logs: string,
  overrides: readonly string[],
  change: (assembled: Assembled) => Assembled = (assembled) => assembled,
): Promise<Flown> {
  const quiet = [`log_root=${logs}`, "ui=none", "evaluation.final_episodes=0"];
  const { config, algorithm, sources } = await completed(
    resolveConfig({ overrides: [...quiet, ...overrides] }),
    { resumed: false },
  );
  const engine = await startEngine("auto");
  const prepared = await prepareRun(algorithm, {
    ...{ config, env: undefined, saved: undefined, say: () => {} },
  });
  const assembled = change(prepared.assembled);
  const run = await createRun(config, { agentYaml: toYaml(config, sources) });
  const [requests, notices] = [new RequestQueue(), new Notices()];
  const signals = watchSignals(requests, () => {});
  const mailbox = ControlMailbox.open(run.path, requests, { onFailure: () => {} });
  const { start } = prepared;
  const sinks = await openSinks({
    ...{ config, run, start, resumed: false, ui: "none", requests, mailbox, notices },
    ...{ interrupt: () => {}, simulatorLog: () => [], ownSinks: [], facts: assembled.facts },
  });
  const flying = { simulator: undefined, engine, compile: eagerly, signals, requests };
  const parts = { config, algorithm, run, sinks, ...flying };
  const measured = config.checks.report_gradients;
  let failure: unknown;
  const exitCode = await trainRun({ ...prepared, assembled, ...parts, measured }).catch((error) => {
    failure = error;
    return exitCodeOf(error);
  });
  signals.release();
  assembled.learner.dispose();
  await assembled.source.close();
  const read = (name: string) => linesOf(join(run.path, name));
  const error = failure as Flown["error"];
  return {
    exitCode,
    error,
    run: run.path,
    events: read("events.jsonl"),
    rows: read("metrics.jsonl"),
  };
}

function linesOf(path: string) {
  const text = readFileSync(path, "utf8").trimEnd();
  return text === "" ? [] : text.split("\n").map((line) => JSON.parse(line));
}
