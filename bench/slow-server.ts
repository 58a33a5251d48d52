/**
 * Serves the trivial environment, whose steps take so many milliseconds and no processor time, as those of a
 * simulator on a card do: `slow-server.js SERVE_AT MILLISECONDS`. Prints its address as a line of JSON.
 */
import type { StepResult } from "../protocol/frame.ts";
import { serveEnv } from "../sim-adapters/serve/serve-env.ts";
import { TrivialEnv } from "./trivial-env.ts";

const [serveAt = "", milliseconds = "4"] = process.argv.slice(2);
const never = new Int32Array(new SharedArrayBuffer(4));

class SlowEnv extends TrivialEnv {
  override async step(): Promise<StepResult> {
    Atomics.wait(never, 0, 0, Number(milliseconds));
    return super.step();
  }
}

const server = await serveEnv({
  open: async ({ numEnvs = 1 }) => new SlowEnv(numEnvs),
  name: "slow",
  bind: serveAt,
});
// Whoever started us may die without a word.
process.stdin.resume().once("end", () => process.exit());
console.log(JSON.stringify({ served: server.endpoint }));
