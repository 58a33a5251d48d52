import { readFile, stat } from "node:fs/promises";
import { CheckpointError } from "../policy-error.ts";
import { type RslRlCheckpoint, readRslRl } from "./rsl-rl.ts";
import { sealOf } from "./seal.ts";

const GiB = 2 ** 30;

/** @throws CheckpointError when the path is not a readable checkpoint of rsl_rl or Firstsolo */
export async function readCheckpointFile(path: string): Promise<RslRlCheckpoint> {
  const bytes = await readBytes(path);
  if (sealOf(bytes) === "broken") {
    throw new CheckpointError(
      "damaged",
      `${path} is not what was written: its digest is that of other bytes`,
      "The file is damaged: copy it again, or take another checkpoint of its run.",
    );
  }
  return readRslRl(bytes, path);
}

/** A whole file of at most 1 GiB. @throws CheckpointError `not-a-file`, `no-such-file`, `too-large` */
export async function readBytes(path: string): Promise<Uint8Array> {
  // Looked at before it is opened: opening a pipe would wait for somebody to write.
  const status = await orExplain(path, stat(path));
  if (!status.isFile()) {
    throw new CheckpointError(
      "not-a-file",
      `${path} is not a file`,
      "Name the checkpoint itself, e.g. the model_*.pt or best_model.pt in that folder.",
    );
  }
  if (status.size > GiB) {
    throw new CheckpointError(
      "too-large",
      `${path} has ${status.size} bytes, at most ${GiB} are read`,
      "A checkpoint of a policy is far smaller; make sure that this file is one.",
    );
  }
  return await orExplain(path, readFile(path));
}

async function orExplain<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new CheckpointError(
      "no-such-file",
      code === "ENOENT" ? `${path} does not exist` : `${path} can't be read: ${message}`,
      "Check the path; it is taken from the current folder.",
      { cause },
    );
  }
}
