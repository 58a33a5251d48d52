import { createRequire } from "node:module";
import { dirname, sep } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import type { Engine } from "./engine.ts";
import { EngineError, reasonOf } from "./engine-error.ts";
import { registerGradients } from "./gradients.ts";

/** The backend that always works: one thread of WebAssembly. A fallback to fly on. */
export async function startWasm(): Promise<Engine> {
  try {
    registerGradients();
    const wasm = await import("@tensorflow/tfjs-backend-wasm");
    const require = createRequire(import.meta.url);
    const folder = dirname(require.resolve("@tensorflow/tfjs-backend-wasm"));
    wasm.setWasmPaths(`${folder}${sep}`);
    if (!(await tf.setBackend("wasm"))) throw new Error("the backend refused to start");
    await tf.ready();
  } catch (error) {
    throw new EngineError(
      "wasm-unavailable",
      `the wasm backend does not start: ${reasonOf(error)}`,
      "Run npm install again; this backend has nothing else to fetch.",
      { cause: error },
    );
  }
  const version = tf.version_core;
  return {
    backend: "wasm",
    device: "wasm",
    version,
    threads: 1,
    accelerators: [],
    description: `TensorFlow.js ${version} on WebAssembly, 1 thread (slow)`,
  };
}
