import type { Config } from "../config/schema.ts";
import { readWandbEnvironment } from "../metrics/wandb/environment.ts";
import { openWandb, type WandbSink } from "../metrics/wandb/wandb.ts";
import { readCodeOrigin } from "../runs/code-state.ts";
import type { RunFolder } from "../runs/run-folder.ts";

interface WandbRunOptions {
  readonly config: Config;
  readonly run: RunFolder;
  readonly resumeAt?: number;
  readonly warn: (line: string) => void;
}

/** What the configuration says wins over W&B's environment variables, and those over our defaults. */
export async function openWandbRun(options: WandbRunOptions): Promise<WandbSink | undefined> {
  const { config, run, resumeAt, warn } = options;
  if (config.logger !== "wandb") return undefined;
  const { mode: wished, ...environment } = readWandbEnvironment(process.env, warn);
  const mode = config.wandb_mode ?? wished ?? "offline";
  if (mode === "disabled") {
    warn("W&B is disabled: nothing is written for it");
    return undefined;
  }
  const git = await readCodeOrigin(process.cwd());
  return openWandb({
    name: run.name,
    group: config.experiment_name,
    ...environment,
    runFolder: run.path,
    project: config.log_project_name ?? environment.project ?? "firstsolo",
    config,
    id: run.id,
    mode,
    ...(git ? { git } : {}),
    ...(resumeAt === undefined ? {} : { resumeAt }),
    onFailure: warn,
  });
}
