import { readdirSync } from "node:fs";
import { join } from "node:path";
import { RunError } from "./run-error.ts";

/** Links that are made there: W&B's to its newest run. Checkpoints are read through one, and written beside it. */
const harmless = /\.pt$|^latest-run$|^debug(-internal)?\.log$/;

/**
 * A run that goes on is written to. In a folder that came from somebody else a link would lead our rows, logs and
 * checkpoints into files of ours that have nothing to do with the run. @throws RunError `link`
 */
export function refuseLinks(runPath: string): void {
  for (const folder of [runPath, join(runPath, "wandb")]) {
    const link = entriesOf(folder).find((one) => one.isSymbolicLink() && !harmless.test(one.name));
    if (link === undefined) continue;
    throw new RunError(
      "link",
      `${join(folder, link.name)} is a link, and a run that goes on is written into its own folder alone`,
      "Look at where it leads; then put a copy in its place, or copy the run with what it names: cp -rL OLD NEW.",
    );
  }
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
