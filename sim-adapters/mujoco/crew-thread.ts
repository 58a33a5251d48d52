/** A thread of `Crew`: flies its share of the environments, step by step, until it is told that this is the end. */
import { parentPort, workerData } from "node:worker_threads";
import { Arena } from "../inside/arena.ts";
import type { CrewOrder } from "./crew.ts";
import { openFleet } from "./open-fleet.ts";

const { rows, memory, control, place, blockSize, ...options } = workerData as CrewOrder;
const fleet = await openFleet(
  { ...options, ...(blockSize === undefined ? {} : { blockSize }) },
  { rows, arena: new Arena(memory) },
);
parentPort?.postMessage("ready");
for (let step = 0; ; ) {
  // It may be woken by the bell for the step before, rung late.
  while (Atomics.load(control, 0) === step) Atomics.wait(control, 0, step);
  step = Atomics.load(control, 0);
  if (step < 0) break;
  fleet.move(rows);
  control[place] = fleet.judge(rows);
  parentPort?.postMessage("done");
}
fleet.bodies.close();
