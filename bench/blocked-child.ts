/**
 * A whole `firstsolo train` in this process, which measures for how long nothing else gets its turn in the thread
 * that flies: `blocked-child.js ARGUMENTS…`. Prints milliseconds as a line of JSON; start and first calls don't count.
 * Where Linux says how long the thread computed, those are of its own work, whoever else is on the machine.
 */
import { existsSync, readFileSync } from "node:fs";
import { main } from "../src/cli/main.ts";
import { quantile } from "./timing.ts";

/** Rows after which every graph is there. */
const settled = 10;
const own = `/proc/self/task/${process.pid}/schedstat`;
const seconds = existsSync(own)
  ? () => Number(readFileSync(own, "utf8").split(" ", 1)[0]) / 1e9
  : () => performance.now() / 1000;

const print = process.stdout.write.bind(process.stdout);
let rows = 0;
process.stdout.write = ((text: string) => {
  if (/^{"iteration":/.test(String(text))) rows += 1;
  return true;
}) as typeof process.stdout.write;

/** Between two turns of a timer that is always due. */
const turns: number[] = [];
let last = seconds();
const timer = setInterval(() => {
  const now = seconds();
  if (rows >= settled) turns.push(1000 * (now - last));
  last = now;
}, 1);
const code = await main(["train", "--ui", "jsonl", ...process.argv.slice(2)]);
clearInterval(timer);
const figures = { most: quantile(turns, 0.99), worst: Math.max(...turns) };
print(`${JSON.stringify(figures)}\n`, () => process.exit(code));
