/**
 * A whole `firstsolo train` in this process, which measures for how long nothing else gets its turn in the thread
 * that flies: `blocked-child.js ARGUMENTS…`. Prints milliseconds as a line of JSON; start and first calls don't count.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { main } from "../src/cli/main.ts";

/** Rows after which every graph is there. */
const settled = 10;

const delays = monitorEventLoopDelay({ resolution: 1 });
const print = process.stdout.write.bind(process.stdout);
let rows = 0;
process.stdout.write = ((text: string) => {
  if (/^{"iteration":/.test(String(text))) rows += 1;
  if (rows === settled) delays.reset();
  return true;
}) as typeof process.stdout.write;
delays.enable();
const code = await main(["train", "--ui", "jsonl", ...process.argv.slice(2)]);
delays.disable();
const [middle, most] = [delays.percentile(50), delays.percentile(99)];
const figures = { middle: middle / 1e6, most: most / 1e6, worst: delays.max / 1e6 };
print(`${JSON.stringify(figures)}\n`, () => process.exit(code));
