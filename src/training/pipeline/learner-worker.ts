/** The thread that learns: it has a TensorFlow of its own, and speaks with the one that flies alone. */
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import type { LearnerOrder } from "../../algorithms/algorithm.ts";
import { algorithmNamed } from "../../algorithms/registry.ts";
import { compileWith } from "../../engine/compile/compile.ts";
import { startEngine } from "../../engine/start.ts";
import { serveLearner } from "../../learning/pipeline/serve-learner.ts";
import type { WorkerFacts } from "./learner-thread.ts";

const { algorithm, device, threads } = workerData as WorkerFacts;
const engine = startEngine(device, { threads });
// Whoever orders the learner is told.
engine.catch(() => undefined);

serveLearner(parentPort as MessagePort, async (order) => {
  await engine;
  const { config, ...rest } = order as Omit<LearnerOrder, "compile">;
  return algorithmNamed(algorithm)!.learner!({
    ...rest,
    config,
    compile: compileWith(config.compile),
  });
});
