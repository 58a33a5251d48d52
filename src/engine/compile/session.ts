import { createHash } from "node:crypto";
import { threadId } from "node:worker_threads";
import { EngineError, reasonOf } from "../engine-error.ts";
import { type Node, savedModel } from "./graph-def.ts";
import type { Binding, NodeBackend, Produced } from "./native-backend.ts";

/**
 * Folders in the memory of TensorFlow's own file system: nothing on disk, nothing left after a crash. It has no
 * call that removes a file, and writing appends: each graph is written once, under a name of its own, and
 * stays till the process ends (12 KB for three layers).
 */
const root = `ram://firstsolo-${threadId}`;
const written = new Set<string>();

/** A graph that TensorFlow has taken in. */
export class Session {
  readonly #binding: Binding;
  readonly #id: number;

  /** @throws EngineError `program-failed` when TensorFlow refuses the graph; the message names the node. */
  constructor(native: NodeBackend, nodes: readonly Node[]) {
    const { binding } = native;
    this.#binding = binding;
    const folder = folderOf(binding, savedModel(nodes, binding));
    try {
      this.#id = binding.loadSavedModel(folder, "serve");
    } catch (error) {
      throw failed("TensorFlow does not take the compiled graph", error);
    }
  }

  /** @param feeds ids by `names`, which commas separate, as they do `fetches`. */
  run(feeds: readonly number[], names: string, fetches: string): Produced[] {
    try {
      return this.#binding.runSavedModel(this.#id, feeds, names, fetches);
    } catch (error) {
      throw failed("a compiled call failed", error);
    }
  }

  close(): void {
    this.#binding.deleteSavedModel(this.#id);
  }
}

function folderOf(binding: Binding, graph: Uint8Array): string {
  const folder = `${root}/${createHash("sha256").update(graph).digest("hex")}`;
  if (!written.has(folder)) writeFile(binding, `${folder}/saved_model.pb`, graph);
  written.add(folder);
  return folder;
}

function writeFile(binding: Binding, path: string, contents: Uint8Array): void {
  const ids = [new TextEncoder().encode(path), contents].map((text) =>
    binding.createTensor([], binding.TF_STRING, [text]),
  );
  binding.executeOp("WriteFile", [], ids, 0);
  for (const id of ids) binding.deleteTensor(id);
}

function failed(what: string, error: unknown): EngineError {
  return new EngineError(
    "program-failed",
    `${what}: ${reasonOf(error)}`,
    "With --compile off the same operations run one by one, and the one that fails is named.",
    { cause: error },
  );
}
