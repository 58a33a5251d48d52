import { readdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { RunError } from "./run-error.ts";

/** Links that are made there: W&B's to its newest run. Checkpoints are read through one, and written beside it. */
const harmless = /\.pt$|^latest-run$|^debug(-internal)?\.log$/;

/**
 * A run that goes on is written to. In a folder that came from somebody else a link would lead our rows, logs and
 * checkpoints into files of ours that have nothing to do with the run. @throws RunError `link`
 */
export function refuseLinks(runPath: string): void {
  for (const folder of [runPath, join(runPath, "wandb")]) {
    const links = entriesOf(folder).filter((one) => one.isSymbolicLink());
    const link = links.find(({ name }) => !harmless.test(name) && !isOwnWandbRun(folder, name));
    if (link === undefined) continue;
    throw new RunError(
      "link",
      `${join(folder, link.name)} is a link, and a run that goes on is written into its own folder alone`,
      "Look at where it leads; then put a copy in its place, or copy the run with what it names: cp -rL OLD NEW.",
    );
  }
}

/** As WANDB_DIR leaves it: the W&B run of the same name lies in another folder called wandb, and is this user's. */
function isOwnWandbRun(folder: string, name: string): boolean {
  if (!/^offline-run-\d{8}_\d{6}-[\w-]+$/.test(name)) return false;
  try {
    const path = realpathSync(join(folder, name));
    const alike = basename(path) === name && basename(dirname(path)) === "wandb";
    return alike && statSync(path).uid === process.getuid?.();
  } catch {
    return false;
  }
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
