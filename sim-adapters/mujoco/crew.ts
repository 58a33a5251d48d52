import { Worker } from "node:worker_threads";
import { SimError } from "../inside/sim-error.ts";
import type { Rows } from "./bodies.ts";

/** What a thread is told when it starts. */
export interface CrewOrder {
  readonly task: string;
  readonly numEnvs: number;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly blockSize: number | undefined;
  readonly rows: Rows;
  /** The fleet's arrays. */
  readonly memory: SharedArrayBuffer;
  /** The number of the step under way, -1 at the end; then, for each thread, what its `judge` found. */
  readonly control: Int32Array;
  readonly place: number;
}

/** Steps after which their number starts again. */
const lap = 1_000_000_000;

/** Threads that fly the environments which are not the main thread's. They touch no socket. */
export class Crew {
  readonly #workers: readonly Worker[];
  readonly #control: Int32Array;
  #waiting = 0;
  #lost: SimError | undefined;
  #settle: { resolve: () => void; reject: (error: Error) => void } | undefined;

  private constructor(workers: readonly Worker[], control: Int32Array) {
    this.#workers = workers;
    this.#control = control;
    for (const worker of workers) {
      worker.on("message", () => this.#heard());
      worker.on("error", (error) => this.#fail(error.message));
      worker.on("exit", (code) => this.#fail(`it ended with exit code ${code}`));
    }
  }

  /** Starts a thread for each of these ranges, over the same memory, and waits until they are ready. */
  static async open(
    shares: readonly Rows[],
    order: Omit<CrewOrder, "rows" | "place" | "control">,
  ): Promise<Crew> {
    const bytes = Int32Array.BYTES_PER_ELEMENT * (shares.length + 1);
    const control = new Int32Array(new SharedArrayBuffer(bytes));
    const file = new URL("./crew-thread.js", import.meta.url);
    const workers = shares.map((rows, k) => {
      return new Worker(file, { workerData: { ...order, rows, control, place: k + 1 } });
    });
    const crew = new Crew(workers, control);
    crew.#waiting = workers.length;
    try {
      await crew.#all();
    } catch (error) {
      await crew.close();
      throw error;
    }
    return crew;
  }

  /** One control step of their environments, with the actions that are in the memory. */
  begin(): void {
    this.#waiting = this.#workers.length;
    Atomics.store(this.#control, 0, (this.#control[0]! % lap) + 1);
    Atomics.notify(this.#control, 0);
  }

  /**
   * Waits until all have come through.
   *
   * @returns the first environment whose state is no longer finite, or -1
   * @throws SimError `thread-lost`
   */
  async end(): Promise<number> {
    await this.#all();
    for (let k = 1; k <= this.#workers.length; k++) {
      if (this.#control[k]! >= 0) return this.#control[k]!;
    }
    return -1;
  }

  async close(): Promise<void> {
    this.#lost ??= new SimError("closed", "the simulator was closed", { hint: "Open a new one." });
    Atomics.store(this.#control, 0, -1);
    Atomics.notify(this.#control, 0);
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  /** Only meanwhile do the threads keep the process alive. */
  async #all(): Promise<void> {
    for (const worker of this.#workers) worker.ref();
    try {
      await this.#allHeard();
    } finally {
      for (const worker of this.#workers) worker.unref();
    }
  }

  #allHeard(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) reject(this.#lost);
      else if (this.#waiting === 0) resolve();
      else this.#settle = { resolve, reject };
    });
  }

  #heard(): void {
    if (--this.#waiting > 0) return;
    this.#settle?.resolve();
    this.#settle = undefined;
  }

  #fail(why: string): void {
    if (this.#lost !== undefined) return;
    const hint = "Start the simulator again, with --threads 1 if it happens again.";
    this.#lost = new SimError("thread-lost", `a thread of the simulator is lost: ${why}`, { hint });
    this.#settle?.reject(this.#lost);
    this.#settle = undefined;
  }
}
