import { randomUUID } from "node:crypto";
import { type Dirent, readdirSync, rmSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { ownIdentity } from "../disk/process-identity.ts";
import type { MetricSink } from "../metrics/metric-sink.ts";
import { type Request, type Requested, requests } from "../running/requests.ts";
import {
  type AnswerFile,
  controlFolder,
  getJson,
  putJson,
  type RequestFile,
} from "./control-files.ts";
import { RunError } from "./run-error.ts";
import { RunLock } from "./run-lock.ts";

/** The id begins with the time, so that requests are taken in the order they were made. */
const requestName = /^request-([0-9a-z-]{40,60})\.json$/;

/** Requests under way, and those that may wait behind them: somebody's broken loop must not fill the flight's memory. */
const mostOpen = 16;
const mostWaiting = 64;
/** Files that one look takes: the flight never stands still for a mailbox. */
const mostTaken = 256;
/** Answers that nobody fetches. */
const mostAnswers = 512;

/** Milliseconds between two looks, which cost about 30 µs each; and at most a twentieth of the time. */
const lookEvery = 300;
const restAfterLook = 20;
const beatEvery = 1000;

/** Whoever takes requests: `RequestQueue`, or somebody who passes them on. */
export interface Steered {
  ask(request: Request, by: string, answer?: Requested["answer"]): void;
}

export interface MailboxOptions {
  /** Told once when the mailbox can't be kept, and once when it can again; the flight goes on meanwhile. */
  readonly onFailure: (line: string) => void;
}

/**
 * The flight's end of `<run>/control/`: holds the run, passes requests of other processes on to the loop and
 * their outcome back, and says that the flight is alive. Looks by itself a few times a second while the
 * event loop turns, without keeping the process alive. As a sink it learns the iteration. Times between two
 * looks are monotonic: a clock that is set makes nobody deaf.
 */
export class ControlMailbox implements MetricSink {
  readonly lock: RunLock;
  readonly #folder: string;
  readonly #steering: Steered;
  readonly #say: (line: string) => void;
  readonly #identity = ownIdentity();
  readonly #started = Date.now() / 1000;
  readonly #open = new Set<string>();
  readonly #answered: string[] = [];
  readonly #timer: NodeJS.Timeout;
  #iteration: number | null = null;
  #beats = 0;
  #nextLook = Number.NEGATIVE_INFINITY;
  #nextBeat = Number.NEGATIVE_INFINITY;
  #trouble = false;
  #odd = false;
  #lost = false;
  #closed = false;

  private constructor(folder: string, lock: RunLock, steering: Steered, options: MailboxOptions) {
    this.#folder = folder;
    this.lock = lock;
    this.#steering = steering;
    this.#say = options.onFailure;
    this.#timer = setInterval(() => this.poll(), lookEvery);
    this.#timer.unref();
  }

  /** @throws RunError `run-in-progress` when another process flies this run, or why it can't be held */
  static open(runPath: string, steering: Steered, options: MailboxOptions): ControlMailbox {
    const lock = RunLock.take(runPath, options.onFailure);
    const mailbox = new ControlMailbox(controlFolder(runPath), lock, steering, options);
    mailbox.#try(() => sweep(mailbox.#folder));
    mailbox.poll();
    return mailbox;
  }

  write(iteration: number): void {
    this.#iteration = iteration;
    this.poll();
  }

  event(): void {
    this.poll();
  }

  /**
   * Takes what has come since the last look; more often than a few times a second it does nothing.
   *
   * @param now milliseconds of a clock that is never set
   */
  poll(now = performance.now()): void {
    if (this.#closed || this.#lost || now < this.#nextLook) return;
    const since = performance.now();
    this.#try(() => {
      if (now >= this.#nextBeat) {
        this.#nextBeat = now + beatEvery;
        this.#beat();
      }
      this.#look();
    });
    const took = performance.now() - since;
    this.#nextLook = now + Math.max(lookEvery / 2, restAfterLook * took);
  }

  /** Answers what is still open, and says goodbye. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.poll(Number.MAX_SAFE_INTEGER);
    this.#closed = true;
    clearInterval(this.#timer);
    for (const id of this.#open) this.#answer(id, "refused: the run has ended");
    try {
      const path = join(this.#folder, "alive.json");
      if (getJson(path)?.token === this.lock.token) rmSync(path, { force: true });
      this.lock.release();
    } catch {
      // A file that stays names a process that is gone: nobody is misled.
    }
  }

  /** A disk that is full for a while, or a folder that is gone, is said once; the next look tries again. */
  #try(action: () => void): void {
    try {
      action();
      if (this.#trouble) this.#tell("the control mailbox works again");
      this.#trouble = false;
    } catch (error) {
      if ((error as RunError).code === "taken-over") {
        this.#giveUp();
        return;
      }
      const why = (error as Error).message;
      if (!this.#trouble) this.#tell(`the control mailbox: ${why}; the run goes on without it`);
      this.#trouble = true;
    }
  }

  /** Wakes a flight that is paused; where the run is written to, it ends with an error. */
  #giveUp(): void {
    clearInterval(this.#timer);
    if (!this.#lost) this.#steering.ask("stop", "another flight of this run");
    this.#lost = true;
  }

  /** Whoever listens may fail, the flight may not. */
  #tell(line: string): void {
    try {
      this.#say(line);
    } catch {
      // Nobody is left to tell.
    }
  }

  #beat(): void {
    this.lock.check();
    this.#beats += 1;
    putJson(join(this.#folder, "alive.json"), {
      ...this.#identity,
      token: this.lock.token,
      beat: this.#beats,
      started: this.#started,
      iteration: this.#iteration,
      heartbeat: Date.now() / 1000,
    });
  }

  #look(): void {
    const entries = readdirSync(this.#folder, { withFileTypes: true });
    const named = entries.filter(({ name }) => requestName.test(name));
    const found = named.filter((entry) => entry.isFile()).map(({ name }) => name);
    this.#nameOdd(named, found.length);
    found.sort();
    const room = mostOpen - this.#open.size;
    for (const name of found.slice(0, room)) this.#take(name);
    const late = found.slice(room + mostWaiting, room + mostWaiting + mostTaken);
    for (const name of late) this.#refuse(name, `refused: ${found.length} requests wait already`);
  }

  /** Pipes, folders and links with a request's name: nobody who asks makes those. */
  #nameOdd(named: readonly Dirent[], files: number): void {
    if (this.#odd || named.length === files) return;
    this.#odd = true;
    const { name } = named.find((entry) => !entry.isFile())!;
    this.#tell(`${join(this.#folder, name)} is no file: it and its like are ignored`);
  }

  #take(name: string): void {
    const asked = readRequest(getJson(join(this.#folder, name)));
    const id = this.#collect(name);
    if (id === undefined) return;
    this.#open.add(id);
    if (asked) this.#steering.ask(asked.request, asked.by, (told) => this.#answer(id, told));
    else this.#answer(id, `refused: no request I know; known are ${requests.join(", ")}`);
  }

  #refuse(name: string, why: string): void {
    const id = this.#collect(name);
    if (id === undefined) return;
    this.#open.add(id);
    this.#answer(id, why);
  }

  /** Its id, once the file is ours; undefined when whoever asked has withdrawn it between our two looks. */
  #collect(name: string): string | undefined {
    try {
      unlinkSync(join(this.#folder, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
    return requestName.exec(name)![1]!;
  }

  #answer(id: string, outcome: string): void {
    if (!this.#open.delete(id)) return;
    const answer: AnswerFile = { outcome };
    const path = join(this.#folder, `answer-${id}.json`);
    this.#try(() => putJson(path, answer));
    this.#answered.push(path);
    if (this.#answered.length <= mostAnswers) return;
    this.#try(() => rmSync(this.#answered.shift()!, { force: true }));
  }
}

function readRequest(found: Readonly<Record<string, unknown>> | undefined) {
  const request = requests.find((known) => known === found?.request);
  const by = found?.by;
  // What others write ends on our terminal and in our files: one short line without control codes.
  const name = typeof by === "string" ? by.replace(/\p{C}+/gu, " ").slice(0, 60) : "ctl";
  return request ? { request, by: name } : undefined;
}

/** Nobody waits any more for what an earlier flight left. */
function sweep(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!/^\.?(request|answer|alive|lock)\b.*\.(json|tmp)$/.test(entry.name)) continue;
    if (entry.name === "lock.json" || entry.isDirectory()) continue;
    rmSync(join(folder, entry.name), { force: true });
  }
}

/** Puts a request into a run's mailbox; gives where its answer will be. */
export function postRequest(runPath: string, request: Request, by: string): Posted {
  const folder = controlFolder(runPath);
  const id = `${Date.now().toString(36).padStart(9, "0")}-${randomUUID()}`;
  const path = join(folder, `request-${id}.json`);
  const file: RequestFile = { request, by };
  try {
    putJson(path, file);
  } catch (cause) {
    const message = `${folder} can't be written: ${(cause as Error).message}`;
    const hint = "Ask as the user who started the run.";
    throw new RunError("not-writable", message, hint, { cause });
  }
  const answerPath = join(folder, `answer-${id}.json`);
  return {
    answer: () => {
      const outcome = getJson(answerPath)?.outcome;
      if (typeof outcome !== "string") return undefined;
      rmSync(answerPath, { force: true });
      return outcome;
    },
    withdraw: () => {
      try {
        unlinkSync(path);
        return true;
      } catch {
        return false;
      }
    },
  };
}

/** A request on its way. */
export interface Posted {
  /** `done`, or why not; undefined while there is none. */
  answer(): string | undefined;
  /** True when nobody had taken it yet: nothing will come of it. */
  withdraw(): boolean;
}
