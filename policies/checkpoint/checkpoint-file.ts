import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CheckpointError } from "../policy-error.ts";
import { type RslRlCheckpoint, readRslRl } from "./rsl-rl.ts";
import { sealOf } from "./seal.ts";

/** What is made of it in memory is a few times as much. */
const LARGEST = 2 ** 29;
const LFS = "version https://git-lfs.github.com/spec/";

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
  try {
    return readRslRl(bytes, path);
  } catch (error) {
    if (!(error instanceof CheckpointError) || error.code !== "torchscript") throw error;
    const onnx = await onnxBeside(path);
    if (onnx === undefined) throw error;
    throw new CheckpointError(error.code, error.message, `Give ${onnx}, which lies beside it.`);
  }
}

/** The export that flies whatever is in it. */
async function onnxBeside(path: string): Promise<string | undefined> {
  const own = `${basename(path).replace(/\.[^.]*$/, "")}.onnx`;
  for (const name of [own, "policy.onnx"]) {
    const beside = join(dirname(path), name);
    if ((await stat(beside).catch(() => undefined))?.isFile()) return beside;
  }
  return undefined;
}

/**
 * A whole file.
 *
 * @param most bytes it may have
 * @throws CheckpointError `not-a-file`, `no-such-file`, `too-large`, `git-lfs-pointer`
 */
export async function readBytes(path: string, most = LARGEST): Promise<Uint8Array> {
  // Looked at before it is opened: opening a pipe would wait for somebody to write.
  const status = await orExplain(path, stat(path));
  if (!status.isFile()) {
    throw new CheckpointError(
      "not-a-file",
      `${path} is not a file`,
      "Name the checkpoint itself, e.g. the model_*.pt or best_model.pt in that folder.",
    );
  }
  if (status.size > most) {
    throw new CheckpointError(
      "too-large",
      `${path} has ${status.size} bytes, at most ${most} are read`,
      "A checkpoint of a policy is far smaller; make sure that this file is one.",
    );
  }
  const bytes = await orExplain(path, readFile(path));
  if (bytes.length < 1024 && bytes.toString("latin1").startsWith(LFS)) throw pointer(path);
  return bytes;
}

function pointer(path: string): CheckpointError {
  return new CheckpointError(
    "git-lfs-pointer",
    `${path} is a Git LFS pointer: a note of where the file is kept, not the file itself`,
    "Get it with `git lfs pull` in that repository, or download the file from its page.",
  );
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
