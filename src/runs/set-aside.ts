import { readdir, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { readCheckpointFile } from "../../policies/checkpoint/checkpoint-file.ts";
import { makeFolder } from "../disk/make-folder.ts";
import { writeError } from "./atomic-write.ts";
import { timestamp } from "./create-run.ts";
import type { RunFolder } from "./run-folder.ts";

/**
 * A run that goes on from an older checkpoint leaves its later ones behind: they are of iterations
 * that are flown again, and the next `--resume` would take them for the latest. They are moved to
 * `superseded/<time>/` in the run folder. Gives the names. @throws RunError
 *
 * @param iteration the next to be flown
 * @param from the checkpoint that is gone on from
 */
export async function setAsideLater(
  run: RunFolder,
  iteration: number,
  from: string,
): Promise<readonly string[]> {
  const names = (await readdir(run.path)).filter((name) => name !== basename(from));
  const later = names.filter((name) => Number(/^model_(\d+)\.pt$/.exec(name)?.[1]) >= iteration);
  if (names.includes("best_model.pt") && (await isLater(run, iteration)))
    later.push("best_model.pt");
  await setAside(run, later, "superseded");
  return later;
}

/** Moves files of a run into `<folder>/<time>/`, where no `--resume` looks. @throws RunError */
export async function setAside(
  run: RunFolder,
  names: readonly string[],
  where: "superseded" | "damaged",
): Promise<void> {
  if (names.length === 0) return;
  const folder = join(run.path, where, timestamp(new Date()));
  try {
    makeFolder(folder, 0o700);
    for (const name of names) await rename(join(run.path, name), join(folder, name));
  } catch (cause) {
    throw writeError(folder, 0, cause as NodeJS.ErrnoException);
  }
}

/** Drafts of checkpoints that a flight which was killed has left. */
export async function sweepDrafts(run: RunFolder): Promise<void> {
  for (const name of await readdir(run.path)) {
    if (/^\.(model_\d+|best_model)\.pt\.\d+\.tmp$/.test(name)) {
      await rm(join(run.path, name), { force: true });
    }
  }
}

/** A best student that can't be read is nobody's best: it goes too. */
async function isLater(run: RunFolder, iteration: number): Promise<boolean> {
  const best = await readCheckpointFile(join(run.path, "best_model.pt")).catch(() => undefined);
  return best === undefined || best.iteration >= iteration;
}
