import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { EnvSpec } from "../../protocol/spec.ts";
import { builtInFor } from "../../sim-adapters/built-in.ts";
import type { VectorEnv } from "../../sim-adapters/vector-env.ts";
import type { Assembled, SavedRun, Site } from "../algorithms/algorithm.ts";
import { ConfigError } from "../config/config-error.ts";
import { flownIn, type Resolved } from "../config/resolve.ts";
import type { Config } from "../config/schema.ts";
import type { Engine } from "../engine/engine.ts";
import { startText } from "../metrics/console/start-text.ts";
import type { RunFolder } from "../runs/run-folder.ts";
import { checkClaims } from "../training/assemble.ts";

interface Rehearsal {
  readonly resolved: Resolved;
  readonly engine: Engine;
  readonly opened: { readonly run: RunFolder; readonly saved: SavedRun } | undefined;
  /** A simulator that others run, greeted and never stepped; absent: the one inside is foreseen. */
  readonly env: VectorEnv | undefined;
  readonly simulator: string | undefined;
  readonly say: (line: string) => void;
}

/**
 * Everything that a run checks before its first step: configuration, files, teacher, data, sizes, networks, owners and
 * the place it would be written to. Nothing is flown and nothing written. Gives what would be. @throws as `train`
 */
export async function dryRun(rehearsal: Rehearsal): Promise<string> {
  const { resolved, opened, say } = rehearsal;
  const { algorithm } = resolved;
  const env =
    rehearsal.env ?? (algorithm.flies(resolved.config) ? await foreseen(resolved) : undefined);
  const config = env ? flownIn(resolved, env.spec) : resolved.config;
  if (!opened) checkPlace(config);
  const site: Site = { config, env, saved: opened?.saved, say, dry: true };
  const assembled = await algorithm.assemble(site);
  const { learner, source, plan } = assembled;
  try {
    checkClaims(learner, algorithm, site);
    if (opened) {
      learner.load(opened.saved.state.learner);
      plan.load(opened.saved.state.plan);
    }
    return describe(rehearsal, { config, env, assembled });
  } finally {
    assembled.dispose();
    await source.close();
  }
}

/** The simulator inside as it would be, without being started. */
async function foreseen({ config }: Resolved): Promise<VectorEnv> {
  const { task, num_envs: numEnvs, env: settings } = config;
  const spec: EnvSpec = await builtInFor(task).foresee({ task, numEnvs, settings });
  const refuse = async (): Promise<never> => {
    throw new Error("a dry run steps nothing");
  };
  return { spec, reset: refuse, step: refuse, close: async () => {} };
}

/** @throws ConfigError `no-place` where no run could be written */
function checkPlace({ log_root, experiment_name }: Config): void {
  let near = resolve(log_root, experiment_name);
  while (!existsSync(near)) near = dirname(near);
  try {
    if (!statSync(near).isDirectory()) throw new Error("it is no folder");
    accessSync(near, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new ConfigError(
      "no-place",
      `A run can't be written below ${near}: ${(cause as Error).message}`,
      "Name another place: --log_root FOLDER.",
      { cause },
    );
  }
}

interface Known {
  readonly config: Config;
  readonly env: VectorEnv | undefined;
  readonly assembled: Assembled;
}

function describe(rehearsal: Rehearsal, { config, env, assembled }: Known): string {
  const { resolved, engine, opened, simulator } = rehearsal;
  const { log_root, experiment_name, run_name, max_iterations, save_interval } = config;
  const from = opened?.saved.state.progress.iteration ?? 0;
  const inside = env && `the built-in ${builtInTitle(config)}`;
  const who = startText({
    ...{ algorithm: resolved.algorithm.name, max_iterations, seed: config.seed },
    ...assembled.facts,
    ...(env ? { task: env.spec.task, num_envs: env.spec.numEnvs } : {}),
    ...(config.num_steps_per_env ? { num_steps_per_env: config.num_steps_per_env } : {}),
    ...(env ? { simulator: simulator ?? inside } : {}),
    engine: engine.description,
  });
  const { stage } = assembled.plan.at(from);
  const where =
    opened?.run.path ?? join(log_root, experiment_name, `DATE${run_name && `_${run_name}`}`);
  const left = Math.max(0, max_iterations - from);
  return [
    who.trimEnd(),
    `would fly iterations ${from} to ${max_iterations - 1}${stepsText(config, env, left)}, beginning with ${stage.name} for ${stage.length}`,
    `would write ${where}, a checkpoint every ${save_interval} iterations`,
    "dry run: everything was checked, nothing flown or written",
  ].join("\n");
}

function builtInTitle({ task, sim }: Config): string {
  return sim.endpoint === null ? builtInFor(task).title : "simulator";
}

/** How much experience that is. */
function stepsText(
  { num_steps_per_env: steps }: Config,
  env: VectorEnv | undefined,
  iterations: number,
): string {
  if (!env || !steps) return "";
  const { numEnvs, controlPeriod } = env.spec;
  const all = iterations * steps * numEnvs;
  const hours = ((all * controlPeriod) / 3600).toPrecision(3);
  return `: ${iterations} × ${steps} steps × ${numEnvs} environments = ${all} steps, ${+hours} h of flight`;
}
