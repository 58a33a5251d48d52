/**
 * One target's share of the work, in a process of its own that can be ended: `worker.js TARGET SEED FROM COUNT MARK`.
 * The number of the input under way stands in the file MARK; one line of JSON for each fault.
 */
import { openSync, writeSync } from "node:fs";
import { faultOf, inputOf } from "./target.ts";
import { type TargetName, targets } from "./targets.ts";

/** Seconds of processor time that reading one input may take: what others compute meanwhile makes nothing slow. */
const slow = 5;
const mostFaults = 20;

const [name, seed, from, count, mark] = process.argv.slice(2) as [
  TargetName,
  string,
  string,
  string,
  string,
];
const target = await targets[name]();
const corpus = target.corpus();
const file = openSync(mark, "w");
let slowest = 0;
let faults = 0;
for (let i = Number(from); i < Number(from) + Number(count) && faults < mostFaults; i += 1) {
  writeSync(file, String(i).padStart(12), 0);
  const bytes = inputOf(target, corpus, { name, seed: Number(seed), index: i });
  const before = process.cpuUsage();
  const fault = await faultOf(target, bytes);
  const { user, system } = process.cpuUsage(before);
  const seconds = (user + system) / 1e6;
  slowest = Math.max(slowest, seconds);
  const problem = fault ?? (seconds > slow ? `took ${seconds.toFixed(1)} s` : undefined);
  if (problem === undefined) continue;
  faults += 1;
  say({ index: i, problem, bytes: Buffer.from(bytes).toString("base64") });
}
say({ done: true, slowest, peak: process.resourceUsage().maxRSS / 1024 });
await target.close?.();
process.exit(0);

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
