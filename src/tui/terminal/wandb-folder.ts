import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";

/** The newest W&B folder of a run, as `wandb sync` takes it; undefined where there is none. */
export function wandbFolderOf(runPath: string | undefined): string | undefined {
  if (runPath === undefined) return undefined;
  const link = join(runPath, "wandb", "latest-run");
  try {
    return existsSync(link) ? realpathSync(link) : undefined;
  } catch {
    return undefined;
  }
}
