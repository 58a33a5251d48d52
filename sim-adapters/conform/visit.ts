import { setTimeout } from "node:timers/promises";
import type { Tensors } from "../../protocol/codec.ts";
import { fromWireSpec, widthOf } from "../../protocol/env-spec.ts";
import type { Replies } from "../../protocol/messages.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import type { ClientCurve } from "../curve-keys.ts";
import { RemoteError } from "../remote/remote-error.ts";
import { Guest, type Heard, type Waited } from "./guest.ts";
import { LawBroken, must } from "./verdict.ts";

export interface VisitOptions {
  readonly endpoint: string;
  /** For a server that speaks CURVE. */
  readonly curve?: ClientCurve;
  /** Asked for in every hello; default: the server's own number. */
  readonly numEnvs?: number;
  /** Seconds until the server must have answered a first hello. Default 300. */
  readonly startupTimeout?: number;
  /** Seconds for every other reply; signs of life extend them. Default 60. */
  readonly patience?: number;
  /** Longest flight of one law, control steps. Default 1200. */
  readonly steps?: number;
}

/** A session that was opened well: who asks, and what the server said of itself. */
export interface Seated {
  readonly guest: Guest;
  readonly welcome: Replies["welcome"];
  readonly spec: EnvSpec;
}

/** What the laws know of the server, and their way to it. One law at a time; everyone leaves after each. */
export class Visit {
  readonly steps: number;
  /** Of all requests so far. */
  readonly waits: Waited[] = [];
  readonly #options: VisitOptions;
  #guests: Guest[] = [];
  #kept = new Map<string, Promise<unknown>>();

  constructor(options: VisitOptions) {
    this.#options = options;
    this.steps = options.steps ?? 1200;
  }

  /** A client without a session. */
  guest(patience = this.#options.patience ?? 60): Guest {
    const { endpoint, curve } = this.#options;
    const onWaited = (waited: Waited) => this.waits.push(waited);
    const guest = new Guest({ endpoint, curve, patience, onWaited });
    this.#guests.push(guest);
    return guest;
  }

  /** What every hello asks for. */
  get wishes(): Readonly<Record<string, unknown>> {
    const { numEnvs } = this.#options;
    return numEnvs === undefined ? {} : { num_envs: numEnvs };
  }

  /** A client whose hello was answered with a welcome. */
  async sit(extra: Readonly<Record<string, unknown>> = {}): Promise<Seated> {
    const guest = this.guest();
    return seated(guest, await guest.hello({ ...this.wishes, ...extra }));
  }

  /** As `sit`, for the first time: waits for a server that is not there yet, or that flies with another. */
  async arrive(): Promise<Seated> {
    const { endpoint, startupTimeout = 300 } = this.#options;
    const guest = this.guest(startupTimeout);
    const deadline = performance.now() + startupTimeout * 1000;
    let heard: Heard | undefined;
    try {
      heard = await guest.hello(this.wishes);
      while (isError(heard, "busy") && performance.now() < deadline) {
        await setTimeout(500);
        guest.seq = 0;
        heard = await guest.hello(this.wishes);
      }
    } catch (cause) {
      if (!(cause instanceof LawBroken) || heard !== undefined) throw cause;
      const hint = "Start a server there, or check the address.";
      if (!cause.message.startsWith("no reply")) throw cause;
      throw new RemoteError("not-started", `nothing answers at ${endpoint}`, { hint, cause });
    }
    if (heard.header.type === "error") {
      const { code, message, hint } = heard.header;
      throw new RemoteError(code, `the server refuses to be driven: ${message}`, { hint });
    }
    return seated(guest, heard);
  }

  /** Done once, for several laws. */
  keep<T>(what: string, make: () => Promise<T>): Promise<T> {
    const kept = this.#kept.get(what) ?? make();
    this.#kept.set(what, kept);
    return kept as Promise<T>;
  }

  /** Closes every session and socket of the law that was just looked at. */
  async end(): Promise<void> {
    const guests = this.#guests;
    this.#guests = [];
    for (const guest of guests.reverse()) await guest.leave();
  }
}

function seated(guest: Guest, { header }: Heard): Seated {
  must(header.type === "welcome", `hello was answered with ${told(header)}`);
  return { guest, welcome: header, spec: specOf(header) };
}

function specOf(welcome: Replies["welcome"]): EnvSpec {
  try {
    return fromWireSpec(welcome.spec);
  } catch (cause) {
    throw new LawBroken(`the specification: ${(cause as Error).message}`, { cause });
  }
}

function isError({ header }: Heard, code: string): boolean {
  return header.type === "error" && header.code === code;
}

/** A reply in a few words. */
export function told(header: Heard["header"] | undefined): string {
  if (header === undefined) return "nothing";
  return header.type === "error"
    ? `the error ${header.code} (${header.message})`
    : `a ${header.type}`;
}

/** @throws LawBroken unless the reply is that error, with a hint */
export function mustRefuse(
  heard: Heard | undefined,
  codes: string | readonly string[],
  to: string,
) {
  const header = heard?.header;
  const allowed = typeof codes === "string" ? [codes] : codes;
  must(
    header?.type === "error" && allowed.includes(header.code),
    `${to} was answered with ${told(header)}, expected the error ${allowed.join(" or ")}`,
  );
  must(
    !/\n|\\n|Traceback|^\s+at /.test(header.message),
    `the error ${header.code} shows a stack trace`,
  );
  return header;
}

/** Pseudo-random actions inside the bounds, the same for the same number; `beyond` 1 reaches just the bounds. */
export function actionsAt(spec: EnvSpec, step: number, beyond = 1): Tensors {
  const width = widthOf(spec.action);
  const data = new Float32Array(spec.numEnvs * width);
  let state = (step * 2654435761 + 12345) >>> 0;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const [low, high] = [spec.action.low[i % width]!, spec.action.high[i % width]!];
    data[i] = low + (high - low) * (0.5 + beyond * (state / 2 ** 32 - 0.5));
  }
  return { actions: { shape: [spec.numEnvs, ...spec.action.shape], data } };
}

/** Resets, or steps, and insists on the answer that belongs to it. */
export async function reset({ guest }: Seated, seed: number): Promise<Heard> {
  const heard = await guest.ask({ type: "reset", seed });
  must(heard.header.type === "frame", `reset was answered with ${told(heard.header)}`);
  return heard;
}

export async function step({ guest }: Seated, actions: Tensors): Promise<Heard> {
  const heard = await guest.ask({ type: "step" }, actions);
  must(heard.header.type === "result", `step was answered with ${told(heard.header)}`);
  return heard;
}
