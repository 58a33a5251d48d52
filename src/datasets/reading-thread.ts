import { existsSync, readFileSync } from "node:fs";
import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  Worker,
} from "node:worker_threads";
import { DatasetError } from "./dataset-error.ts";
import {
  ANSWERED,
  type Answer,
  ASKED,
  type Asks,
  CROSSING,
  GONE,
  type Question,
  type ReadingOrder,
  THREAD,
} from "./hdf5-questions.ts";

/** Milliseconds of one look at a thread that has not answered yet. */
const LOOK = 200;
/** Of a second: in these Linux counts a thread's time, on every machine that Node has builds for. */
const TICKS = 100;
/** Seconds in which this process used no processor at all: a disk, or a network behind it, that is gone. */
const SILENCE = 120;
/** Milliseconds without a question after which the thread gives back its 60 MB; another would be started. */
const IDLE = 30_000;

/**
 * The thread in which HDF5's library reads files of others, one for the process. A question is answered at once, as
 * a call is; one that takes too long ends the thread, and with it a library that loops for ever.
 */
export class ReadingThread {
  static #current: ReadingThread | undefined;

  /** Rows that crossed with the last answer. */
  readonly rows = new Uint8Array(new SharedArrayBuffer(CROSSING));
  readonly #numbers = new Int32Array(new SharedArrayBuffer(12));
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #idle: NodeJS.Timeout;
  #asked = 0;
  #ended = false;

  /** The one there is; a new one where there is none, or it was ended. */
  static current(): ReadingThread {
    if (ReadingThread.#current?.ended === true) ReadingThread.#current.end();
    ReadingThread.#current ??= new ReadingThread();
    return ReadingThread.#current;
  }

  private constructor() {
    const { port1, port2: port } = new MessageChannel();
    const order: ReadingOrder = { numbers: this.#numbers, rows: this.rows, port };
    this.#worker = new Worker(new URL("./hdf5-thread.js", import.meta.url), {
      name: "hdf5",
      workerData: order,
      transferList: [port],
      resourceLimits: { maxOldGenerationSizeMb: 512 },
    });
    this.#port = port1;
    // Nobody waits for what it says of its end: whoever asks hears nothing, and ends it.
    this.#worker.on("error", () => this.end());
    this.#worker.unref();
    let before = 0;
    this.#idle = setInterval(() => {
      if (this.#asked === before) this.end();
      before = this.#asked;
    }, IDLE).unref();
  }

  /**
   * @param options file: a number of the caller's; seconds: of processor time that the answer may take; what: is
   *   done meanwhile, for people
   * @throws DatasetError as it was thrown over there; `endless`; `ended`
   */
  ask<N extends keyof Asks>(
    name: N,
    argument: Asks[N][0],
    options: { readonly file: number; readonly seconds: number; readonly what: string },
  ): Asks[N][1] {
    this.#asked += 1;
    const question: Question = { number: this.#asked, file: options.file, name, argument };
    this.#port.postMessage(question);
    Atomics.store(this.#numbers, ASKED, this.#asked);
    Atomics.notify(this.#numbers, ASKED);
    const outcome = this.#waited(options.seconds);
    if (outcome !== "answered") {
      this.end();
      throw outcome === "gone" ? ended(options) : endless(options);
    }
    const answer = receiveMessageOnPort(this.#port)!.message as Answer;
    if (answer.broken) this.end();
    if ("value" in answer) return answer.value as Asks[N][1];
    const { code, message, hint } = answer;
    if (code === undefined || hint === undefined) throw new Error(message);
    throw new DatasetError(code, message, hint);
  }

  /** It answers nothing any more, and every file in it is closed. */
  get ended(): boolean {
    return this.#ended || Atomics.load(this.#numbers, ANSWERED) === GONE;
  }

  end(): void {
    this.#ended = true;
    if (ReadingThread.#current === this) ReadingThread.#current = undefined;
    clearInterval(this.#idle);
    void this.#worker.terminate();
  }

  /**
   * Whether the answer came. What counts is processor time: neither a process that was stopped nor a slow disk nor
   * a busy machine makes a loop.
   */
  #waited(seconds: number): "answered" | "gone" | "endless" {
    // Most answers come long before anybody needs to look at a clock.
    let heard = this.#heard();
    let [used, silent] = [0, 0];
    while (heard === undefined) {
      const [cpu, since] = [this.#processorTime(), performance.now()];
      const isThere = this.#isThere();
      heard = this.#heard();
      if (heard !== undefined) break;
      if (!isThere) return "gone";
      const elapsed = (performance.now() - since) / 1000;
      const busy = Math.min(elapsed, this.#processorTime() - cpu);
      used += busy;
      silent = busy > 0.01 * elapsed ? 0 : silent + Math.min(elapsed, (2 * LOOK) / 1000);
      if (used > seconds || silent > SILENCE) return "endless";
    }
    return heard;
  }

  /** What woke this may be the bell for the answer before, rung late: the number says what is there. */
  #heard(): "answered" | "gone" | undefined {
    Atomics.wait(this.#numbers, ANSWERED, this.#asked - 1, LOOK);
    const number = Atomics.load(this.#numbers, ANSWERED);
    if (number === GONE) return "gone";
    return number === this.#asked ? "answered" : undefined;
  }

  /** False where the system knows its threads, and this one no more: one without memory says no goodbye. */
  #isThere(): boolean {
    const thread = Atomics.load(this.#numbers, THREAD);
    return thread <= 0 || existsSync(`/proc/self/task/${thread}`);
  }

  #stat(): string | undefined {
    try {
      return readFileSync(`/proc/self/task/${Atomics.load(this.#numbers, THREAD)}/stat`, "utf8");
    } catch {
      return undefined;
    }
  }

  /** Seconds that the thread has used; of the whole process where nobody says so of a thread. */
  #processorTime(): number {
    const stat = this.#stat();
    if (stat !== undefined) {
      const [user, system] = stat
        .slice(stat.lastIndexOf(")") + 2)
        .split(" ")
        .slice(11, 13);
      return (Number(user) + Number(system)) / TICKS;
    }
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  }
}

function ended({ what }: { readonly what: string }) {
  return new DatasetError(
    "ended",
    `${what} ended the thread that did it, for want of memory perhaps`,
    "Where other files can be read, this one is damaged, or made to mislead: copy, download or record it again.",
  );
}

function endless({ seconds, what }: { readonly seconds: number; readonly what: string }) {
  return new DatasetError(
    "endless",
    `${what} came to no end in ${seconds.toFixed(seconds < 1 ? 1 : 0)} s of processor time`,
    "It is damaged, or made to mislead: copy, download or record it again.",
  );
}
