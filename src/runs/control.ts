import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, rmSync, unlinkSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { howToCall } from "../disk/how-to-call.ts";
import type { MetricSink } from "../metrics/metric-sink.ts";
import { SinkGuard } from "../metrics/sink-guard.ts";
import { type Request, type Requested, requests } from "../running/requests.ts";
import {
  type AnswerFile,
  controlFolder,
  getJson,
  presenceOf,
  putJson,
  type RequestFile,
} from "./control-files.ts";
import { RunError } from "./run-error.ts";

/** The id begins with the time, so that requests are taken in the order they were made. */
const requestName = /^request-([0-9a-z-]{40,60})\.json$/;

/** Requests under way: somebody's broken loop must not fill the flight's memory. */
const mostOpen = 16;

/** Milliseconds between two looks, which cost about 30 µs each. */
const lookEvery = 300;
const beatEvery = 1000;

/** Whoever takes requests: `RequestQueue`, or somebody who passes them on. */
export interface Steered {
  ask(request: Request, by: string, answer?: Requested["answer"]): void;
}

export interface MailboxOptions {
  /** Told once when the mailbox can't be kept; the flight goes on without it. */
  readonly onFailure: (line: string) => void;
}

/**
 * The flight's end of `<run>/control/`: passes requests of other processes on to the loop and their
 * outcome back, and says that the flight is alive. Looks by itself a few times a second while the
 * event loop turns, without keeping the process alive. As a sink it learns the iteration.
 */
export class ControlMailbox implements MetricSink {
  readonly #folder: string;
  readonly #steering: Steered;
  readonly #guard: SinkGuard;
  readonly #started = Date.now() / 1000;
  readonly #open = new Set<string>();
  readonly #timer: NodeJS.Timeout;
  #iteration: number | null = null;
  #nextLook = 0;
  #nextBeat = 0;
  #closed = false;

  private constructor(folder: string, steering: Steered, guard: SinkGuard) {
    this.#folder = folder;
    this.#steering = steering;
    this.#guard = guard;
    this.#timer = setInterval(() => this.poll(), lookEvery);
    this.#timer.unref();
  }

  /** @throws RunError `run-in-progress` when another process flies this run */
  static open(runPath: string, steering: Steered, options: MailboxOptions): ControlMailbox {
    refuseSecondFlight(runPath);
    const folder = controlFolder(runPath);
    const guard = new SinkGuard("control mailbox", options.onFailure);
    guard.run(() => {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      sweep(folder);
    });
    const mailbox = new ControlMailbox(folder, steering, guard);
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

  /** Takes what has come since the last look; more often than a few times a second it does nothing. */
  poll(now = Date.now()): void {
    if (this.#closed || now < this.#nextLook) return;
    this.#nextLook = now + lookEvery / 2;
    this.#guard.run(() => {
      if (now >= this.#nextBeat) {
        this.#nextBeat = now + beatEvery;
        this.#beat(now / 1000);
      }
      const found = readdirSync(this.#folder)
        .filter((name) => requestName.test(name))
        .sort();
      const room = mostOpen - this.#open.size;
      for (const name of found.slice(0, room)) this.#take(name);
    });
  }

  /** Answers what is still open, and says goodbye. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.poll(Number.MAX_SAFE_INTEGER);
    this.#closed = true;
    clearInterval(this.#timer);
    for (const id of this.#open) this.#answer(id, "refused: the run has ended");
    try {
      rmSync(join(this.#folder, "alive.json"), { force: true });
    } catch {
      // A file that stays names a process that is gone: nobody is misled.
    }
  }

  #beat(heartbeat: number): void {
    putJson(join(this.#folder, "alive.json"), {
      pid: process.pid,
      host: hostname(),
      started: this.#started,
      iteration: this.#iteration,
      heartbeat: Math.min(heartbeat, Date.now() / 1000),
    });
  }

  #take(name: string): void {
    const id = requestName.exec(name)![1]!;
    const path = join(this.#folder, name);
    const asked = readRequest(getJson(path));
    try {
      unlinkSync(path);
    } catch (error) {
      // Whoever asked has withdrawn it between our two looks.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
      throw error;
    }
    this.#open.add(id);
    if (asked) this.#steering.ask(asked.request, asked.by, (told) => this.#answer(id, told));
    else this.#answer(id, `refused: no request I know; known are ${requests.join(", ")}`);
  }

  #answer(id: string, outcome: string): void {
    if (!this.#open.delete(id)) return;
    const answer: AnswerFile = { outcome };
    this.#guard.run(() => putJson(join(this.#folder, `answer-${id}.json`), answer));
  }
}

function readRequest(found: Readonly<Record<string, unknown>> | undefined) {
  const request = requests.find((known) => known === found?.request);
  const by = found?.by;
  // What others write ends on our terminal and in our files: one short line without control codes.
  const name = typeof by === "string" ? by.replace(/\p{C}+/gu, " ").slice(0, 60) : "ctl";
  return request ? { request, by: name } : undefined;
}

/**
 * Two flights in one folder would overwrite each other's checkpoints.
 * @throws RunError `run-in-progress` when another process flies this run
 */
export function refuseSecondFlight(runPath: string): void {
  const presence = presenceOf(runPath);
  if (presence.state === "ended" || presence.alive.pid === process.pid) return;
  const { pid, host } = presence.alive;
  throw new RunError(
    "run-in-progress",
    `${runPath} is flown by process ${pid} on ${host}`,
    `Watch it: ${howToCall("watch", runPath)}; or stop it first: ${howToCall("ctl", runPath, "stop")}. If that process is no firstsolo, delete control/alive.json.`,
  );
}

/** Nobody waits any more for what an earlier flight left. */
function sweep(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (/^\.?(request|answer|alive)\b.*\.(json|tmp)$/.test(name)) {
      rmSync(join(folder, name), { force: true });
    }
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
