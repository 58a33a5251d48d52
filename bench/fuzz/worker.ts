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
const [first, end] = [Number(from), Number(from) + Number(count)];
const { together = 1 } = target;
let slowest = 0;
let faults = 0;
for (let at = first; at < end && faults < mostFaults; at += together) {
  writeSync(file, String(at).padStart(12), 0);
  const length = Math.min(together, end - at);
  const inputs = Array.from({ length }, (_, i) =>
    inputOf(target, corpus, { name, seed: Number(seed), index: at + i }),
  );
  const before = process.cpuUsage();
  const problems = await Promise.all(inputs.map((bytes) => faultOf(target, bytes)));
  const { user, system } = process.cpuUsage(before);
  const seconds = (user + system) / 1e6;
  slowest = Math.max(slowest, seconds);
  if (seconds > slow) problems[0] ??= `took ${seconds.toFixed(1)} s`;
  for (const [i, problem] of problems.entries()) {
    if (problem === undefined) continue;
    faults += 1;
    say({ index: at + i, problem, bytes: Buffer.from(inputs[i]!).toString("base64") });
  }
}
say({ done: true, slowest, peak: process.resourceUsage().maxRSS / 1024 });
await target.close?.();
process.exit(0);

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
