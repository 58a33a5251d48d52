import { join } from "node:path";
import { howToCall } from "../../disk/how-to-call.ts";
import { EngineError } from "../engine-error.ts";
import type { RunCommand } from "./command.ts";

export interface Tried {
  /** What the library calls itself. */
  readonly version: string;
  readonly gpu: boolean;
}

/** Loads the package, multiplies two matrices, and says what computed. A process of its own, since a
 * library for another processor ends the process that loads it. */
const PROGRAM = `
const util = require("node:util");
util.isNullOrUndefined = (value) => value === null || value === undefined;
util.isArray = Array.isArray;
const tf = require(process.argv[1]);
const sum = tf.sum(tf.matMul(tf.ones([2, 3]), tf.ones([3, 2]))).dataSync()[0];
if (sum !== 12) throw new Error("it computes " + sum + " where 12 is right");
const backend = tf.backend();
console.log("\\nFIRSTSOLO " + JSON.stringify({ version: backend.binding.TF_Version, gpu: backend.isUsingGpuDevice }));
`;

/** Throws an EngineError with the reason when the native library does not load and compute. */
export async function tryNative(run: RunCommand, packageFolder: string): Promise<Tried> {
  const result = await run(process.execPath, ["-e", PROGRAM, packageFolder], {
    cwd: packageFolder,
    env: { TF_CPP_MIN_LOG_LEVEL: "3", TF_FORCE_GPU_ALLOW_GROWTH: "true", NODE_OPTIONS: undefined },
    // 2 s of work; see the compiler's.
    timeout: 600_000,
  });
  const line = /^FIRSTSOLO (.+)$/m.exec(result.stdout)?.[1];
  if (result.status === 0 && line !== undefined) return JSON.parse(line) as Tried;
  throw new EngineError(
    "load-failed",
    `TensorFlow was put into ${join(packageFolder, "deps")}, but ${whyNot(result)}`,
    `Run: ${howToCall("doctor")}.`,
  );
}

function whyNot(result: Awaited<ReturnType<RunCommand>>): string {
  if (result.signal === "SIGILL") return "this processor lacks the AVX instructions it needs";
  if (result.signal) return `it ended with ${result.signal}`;
  if (result.stopped) return `loading it: ${result.stopped}`;
  const lines = result.stderr.split("\n");
  const line = lines.find((text) => /^\w*Error\b/.test(text)) ?? lines.find((text) => text !== "");
  return `it does not load: ${(line ?? "no reason given").slice(0, 300)}`;
}
