import { Worker, type WorkerOptions } from "node:worker_threads";
import type { LearnerOrder } from "../../algorithms/algorithm.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Learner } from "../../learning/learner.ts";
import { LearningError } from "../../learning/learning-error.ts";
import { Calls } from "../../learning/pipeline/calls.ts";
import { learnElsewhere } from "../../learning/pipeline/pipelined-learner.ts";

/** What the other thread is told when it starts. */
export interface WorkerFacts {
  readonly algorithm: string;
  readonly device: Engine["device"];
  readonly threads: number;
}

export interface ThreadOptions extends WorkerFacts {
  readonly resourceLimits?: WorkerOptions["resourceLimits"];
  /** The compiled `learner-worker`; default: the one beside this module. */
  readonly program?: URL;
}

/** A thread that learns. It loads its TensorFlow while this one connects to the simulator. */
export class LearnerThread {
  readonly #worker: Worker;
  readonly #calls: Calls;
  #closing = false;

  /** Start the engine of this thread first: it sets what the library reads when it loads. */
  constructor({ resourceLimits, program = besides(), ...workerData }: ThreadOptions) {
    const options = { workerData, name: "learner", ...(resourceLimits ? { resourceLimits } : {}) };
    this.#worker = new Worker(program, options);
    this.#calls = new Calls(this.#worker);
    this.#worker.once("error", (cause) => this.#calls.end(lost(cause)));
    this.#worker.once("exit", (code) => {
      if (!this.#closing) this.#calls.end(lost(new Error(`exit code ${code}`)));
    });
  }

  /** The learner that `order` makes, in that thread, in the state of `local`, whose policies act. */
  learner(local: Learner, order: Omit<LearnerOrder, "compile">): Promise<Learner> {
    const always = order.config.pipeline === "on";
    return learnElsewhere(this.#calls, local, { order, always });
  }

  /** What it is doing is left undone. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#worker.terminate();
  }
}

function besides(): URL {
  return new URL("./learner-worker.js", import.meta.url);
}

function lost(cause: unknown): LearningError {
  const { message } = cause as Error;
  return new LearningError(
    "learner-lost",
    `The thread that learns has ended: ${message}.`,
    "What it learned since the last checkpoint is lost: go on from there with --resume; with --pipeline off it learns in the thread that flies.",
    { cause },
  );
}
