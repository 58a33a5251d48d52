import { setTimeout } from "node:timers/promises";
import type { Frame, StepResult } from "../../protocol/frame.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import { EnvRevived } from "../env-revived.ts";
import type { VectorEnv } from "../vector-env.ts";
import { failure } from "./failures.ts";
import { RemoteError } from "./remote-error.ts";
import { calm, isLoss, type RevivalPlan, revivedSeed } from "./revival-plan.ts";

export interface Attempt {
  /** The specification to insist on; absent the first time. */
  readonly expected?: EnvSpec;
  /** Seconds it may take; absent the first time. */
  readonly patience?: number;
  /** Ends this try; absent the first time. */
  readonly signal?: AbortSignal;
}

export interface RevivingOptions<E extends VectorEnv> {
  /** Connects, or starts a simulator and connects; called again for each try. */
  readonly open: (attempt: Attempt) => Promise<E>;
  readonly plan: RevivalPlan;
  /** Ends waiting for a simulator. */
  readonly signal?: AbortSignal;
  /** Aborted where the flight is to land: one that is lost then, or was before, is not waited for. */
  readonly landing?: AbortSignal;
  /** A line for people when the simulator is lost, and when a try fails. */
  readonly onLost?: (line: string) => void;
}

/**
 * An environment that outlives its simulator. A call that finds it lost gets another one; `reset` and `restore` then
 * are carried out there, and the others throw EnvRevived, with the frame to go on from.
 */
export class RevivingEnv<E extends VectorEnv> implements VectorEnv {
  readonly spec: EnvSpec;
  /** There when the simulator has the capability `snapshot`. */
  readonly snapshot?: () => Promise<Uint8Array>;
  readonly restore?: (state: Uint8Array) => Promise<Frame>;
  readonly #options: RevivingOptions<E>;
  #env: E;
  #seed = 0;
  #remembered: Uint8Array | undefined;
  #count = 0;
  #attempts = 0;
  #revivedAt = 0;
  #closed = false;

  private constructor(env: E, options: RevivingOptions<E>) {
    this.#env = env;
    this.#options = options;
    this.spec = env.spec;
    if (env.snapshot === undefined || env.restore === undefined) return;
    this.snapshot = () => this.#orRevived((now) => now.snapshot!());
    this.restore = (state) => this.#restore(state);
  }

  /** @throws RemoteError when there is none the first time: that is no revival. */
  static async open<E extends VectorEnv>(options: RevivingOptions<E>): Promise<RevivingEnv<E>> {
    return new RevivingEnv(await options.open({}), options);
  }

  /** The simulator that is there now. */
  get current(): E {
    return this.#env;
  }

  /** How often it was revived. */
  get revivals(): number {
    return this.#count;
  }

  /** @throws RemoteError */
  async reset(seed: number): Promise<Frame> {
    this.#seed = seed;
    this.#remembered = undefined;
    return this.#again((env) => env.reset(seed));
  }

  /** @throws EnvRevived when it did not happen, RemoteError when no simulator came back. */
  async step(actions: Float32Array): Promise<StepResult> {
    return this.#orRevived((env) => env.step(actions));
  }

  /** Keeps the present state, where the simulator can tell it: a revival goes back to here. @throws as `step` */
  async remember(): Promise<void> {
    this.#remembered = await this.snapshot?.();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#env.close();
  }

  async #restore(state: Uint8Array): Promise<Frame> {
    this.#remembered = state;
    return this.#again((env) => env.restore!(state));
  }

  async #orRevived<T>(call: (env: E) => Promise<T>): Promise<T> {
    const since = performance.now();
    try {
      return await call(this.#env);
    } catch (error) {
      if (!this.#mayRevive(error)) throw error;
      const [frame, restored] = await this.#revive(error, (env) => this.#firstFrame(env));
      const outage = (performance.now() - since) / 1000;
      throw new EnvRevived({ frame, restored, count: this.#count, outage, cause: error });
    }
  }

  async #again(call: (env: E) => Promise<Frame>): Promise<Frame> {
    try {
      return await call(this.#env);
    } catch (error) {
      if (!this.#mayRevive(error)) throw error;
      return this.#revive(error, call);
    }
  }

  #mayRevive(error: unknown): error is Error {
    return !this.#closed && this.#options.plan.attempts > 0 && isLoss(error);
  }

  async #firstFrame(env: E): Promise<[Frame, boolean]> {
    const state = this.#remembered;
    if (state !== undefined && env.restore !== undefined) {
      const frame = await env.restore(state).catch((error) => {
        if (isLoss(error)) throw error;
      });
      if (frame !== undefined) return [frame, true];
    }
    return [await env.reset(revivedSeed(this.#seed, this.#count + 1)), false];
  }

  /** Opens until `begin` has worked there. @throws RemoteError when the plan is used up */
  async #revive<T>(cause: Error, begin: (env: E) => Promise<T>): Promise<T> {
    const { plan } = this.#options;
    const since = performance.now();
    if (since - this.#revivedAt > calm * 1000) this.#attempts = 0;
    const left = () => plan.patience - (performance.now() - since) / 1000;
    for (let last = cause; ; ) {
      this.#attempts++;
      const hopeless = this.#attempts > plan.attempts || left() <= 0;
      if (hopeless || this.#options.landing?.aborted) throw this.#beyondHelp(cause, last);
      this.#tell(last);
      const landing = new Landing(this.#options.landing);
      try {
        await this.#rest(plan.pause(this.#attempts), landing.signal);
        const begun = await this.#reopen(Math.max(1, left()), landing.signal, begin);
        this.#count++;
        this.#revivedAt = performance.now();
        return begun;
      } catch (error) {
        if (this.#closed || !(landing.signal.aborted || isLoss(error))) throw midFlight(error);
        if (isLoss(error)) last = error;
      } finally {
        landing.forget();
      }
    }
  }

  async #reopen<T>(
    patience: number,
    signal: AbortSignal,
    begin: (env: E) => Promise<T>,
  ): Promise<T> {
    await this.#env.close().catch(() => {});
    const within = Number.isFinite(patience) ? { patience } : {};
    const env = await this.#options.open({ expected: this.spec, signal, ...within });
    this.#env = env;
    if (!this.#closed) return begin(env);
    await env.close();
    throw failure.closed();
  }

  async #rest(seconds: number, landing: AbortSignal): Promise<void> {
    const { signal } = this.#options;
    const ends = signal === undefined ? landing : AbortSignal.any([signal, landing]);
    await setTimeout(seconds * 1000, undefined, { signal: ends }).catch(() => {
      throw failure.stopped();
    });
  }

  #tell({ message }: Error): void {
    const { plan, onLost } = this.#options;
    const tries = Number.isFinite(plan.attempts)
      ? `starting it again, try ${this.#attempts} of ${plan.attempts}`
      : `waiting up to ${plan.patience} s for it to come back`;
    onLost?.(`${message.split("\n")[0]}: ${tries}`);
  }

  #beyondHelp(cause: Error, last: Error): RemoteError {
    const tries = this.#attempts - 1;
    const more = last === cause ? "" : `; the last try: ${last.message}`;
    const message =
      tries === 0
        ? cause.message
        : `${cause.message}\n  and it did not come back in ${tries} tries${more}`;
    const { hint } = cause as { hint?: string };
    return new RemoteError("simulator-lost", message, { hint: hint ?? "", cause });
  }
}

/** Who stops while a simulator is waited for again has flown already. */
function midFlight(error: unknown): unknown {
  return error instanceof RemoteError && error.code === "aborted" ? failure.stopped() : error;
}

/** Aborted with the flight's landing while a try lasts; what the try opened is no longer ended by it. */
class Landing {
  readonly #asked: AbortSignal | undefined;
  readonly #controller = new AbortController();
  readonly #end = () => this.#controller.abort();

  constructor(asked: AbortSignal | undefined) {
    this.#asked = asked;
    asked?.addEventListener("abort", this.#end, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  forget(): void {
    this.#asked?.removeEventListener("abort", this.#end);
  }
}
