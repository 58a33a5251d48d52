import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { writeAtomically } from "../runs/atomic-write.ts";
import { RunError } from "../runs/run-error.ts";
import type { RunFolder } from "../runs/run-folder.ts";
import type { Unsaved } from "./save-checkpoint.ts";

/**
 * The last student of a run whose folder takes nothing: beside that folder, at home, or among the temporary
 * files, whichever is the first that takes it. Gives the error that ends the run, which says where it is.
 */
export async function saveElsewhere(
  run: Pick<RunFolder, "path" | "name">,
  { error, name, bytes }: Unsaved,
): Promise<RunError> {
  for (const folder of [dirname(run.path), homedir(), tmpdir()]) {
    const path = join(folder, `${run.name}-${name}`);
    try {
      await writeAtomically(path, bytes, 0o600);
    } catch {
      continue;
    }
    const hint = `${error.hint} The last student is in ${path}.`;
    return new RunError(error.code, error.message, hint, { cause: error });
  }
  return error;
}
