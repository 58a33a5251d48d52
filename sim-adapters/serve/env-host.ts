import { randomBytes } from "node:crypto";
import { decodeMessage, type Tensors } from "../../protocol/codec.ts";
import { checkSpec, hashSpec, toWireSpec, without } from "../../protocol/env-spec.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { limits, protocolVersion, times } from "../../protocol/limits.ts";
import {
  encodeReply,
  parseRequest,
  type Reply,
  type Request,
  type Requests,
} from "../../protocol/messages.ts";
import {
  fromFrame,
  fromState,
  fromStepResult,
  toActions,
  toState,
} from "../../protocol/payload.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import type { Peer, RouterLink } from "./router-link.ts";
import { errorBody, ServeError, stackOf, unexplained } from "./serve-error.ts";
import type { ServedEnv, ServeOptions } from "./served-env.ts";
import { SessionDesk } from "./session-desk.ts";

type Ordered = Exclude<Request, { type: "ping" } | { type: "close" }>;

/** A request being worked on; `to` changes when the driver asks again over a new connection. */
interface Job {
  readonly request: Ordered;
  readonly since: number;
  to: Peer;
}

const stages: Readonly<Record<Ordered["type"], string>> = {
  hello: "loading",
  reset: "resetting",
  step: "stepping",
  snapshot: "saving",
  restore: "restoring",
};

type Answer = Reply extends infer R ? (R extends Reply ? Omit<R, "seq" | "epoch"> : never) : never;

/** Requests in, replies out, one environment in between. */
export class EnvHost {
  readonly #options: ServeOptions;
  readonly #link: Pick<RouterLink, "send">;
  readonly #onClosed: () => void;
  readonly #epoch = randomBytes(12).toString("hex");
  readonly #desk = new SessionDesk();
  #env: ServedEnv | undefined;
  /** What the driver was told: the environment's specification with the groups it asked for. */
  #spec: EnvSpec | undefined;
  #flying = false;
  #job: Job | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(options: ServeOptions, link: Pick<RouterLink, "send">, onClosed: () => void) {
    this.#options = options;
    this.#link = link;
    this.#onClosed = onClosed;
  }

  receive(from: Peer, frames: readonly Uint8Array[]): void {
    let seq = 0;
    try {
      const { header, tensors } = decodeMessage(frames);
      if (typeof header.seq === "number" && Number.isSafeInteger(header.seq)) {
        seq = Math.max(0, header.seq);
      }
      refuseOtherVersion(header);
      this.#dispatch(from, parseRequest(header), tensors);
    } catch (error) {
      this.#refuse(from, seq, error);
    }
  }

  async close(): Promise<void> {
    await this.#work;
    await this.#closeEnv();
  }

  #dispatch(from: Peer, request: Request, tensors: Tensors): void {
    const now = seconds();
    if (request.type === "ping") {
      this.#desk.hear(request.session, now);
      this.#link.send(from, this.#encode(request.seq, { type: "pong" }));
      return;
    }
    const verdict = this.#desk.judge(request, now);
    if (verdict.kind === "refuse") throw verdict.error;
    if (verdict.kind === "replay") this.#link.send(from, verdict.reply);
    else if (verdict.kind === "working") this.#stillWorking(from);
    else if (request.type === "close") this.#goodbye(from, request);
    else this.#start({ request, to: from, since: now }, tensors);
  }

  #start(job: Job, tensors: Tensors): void {
    const { request } = job;
    if (request.type === "hello") {
      this.#desk.open(request.session, request.seq, job.since);
      this.#log(`driven by ${request.client.name} ${request.client.version}`);
    } else this.#desk.begin(request.seq);
    this.#job = job;
    this.#work = this.#work.then(() => this.#carryOut(job, tensors));
  }

  async #carryOut(job: Job, tensors: Tensors): Promise<void> {
    const { session, seq, type } = job.request;
    const beat = setInterval(() => this.#progress(job), times.beatInterval * 1000);
    try {
      const [answer, sent] = await this.#answer(job.request, tensors, job.since);
      const frames = this.#encodeAnswer(seq, answer, sent);
      if (this.#desk.finish(session, seq, frames, seconds())) this.#link.send(job.to, frames);
    } catch (error) {
      const body = errorBody(error);
      this.#log(`${type} failed: ${body.code === unexplained ? stackOf(error) : body.message}`);
      const frames = this.#encode(seq, { type: "error", ...body });
      const driving = this.#desk.finish(session, seq, frames, seconds());
      if (driving) this.#link.send(job.to, frames);
      if (driving && type === "hello") this.#desk.free(session);
    } finally {
      clearInterval(beat);
      if (this.#job === job) this.#job = undefined;
    }
  }

  async #answer(request: Ordered, tensors: Tensors, since: number): Promise<[Answer, Tensors?]> {
    if (request.type === "hello") return [await this.#welcome(request)];
    const [env, spec] = [this.#env, this.#spec];
    if (env === undefined || spec === undefined) throw notReset();
    if (request.type === "reset") {
      const sent = fromFrame(await env.reset(request.seed), spec);
      this.#flying = true;
      return [{ type: "frame", timing: { total: seconds() - since } }, sent];
    }
    if (request.type === "restore") {
      if (env.restore === undefined) throw unsupported("restore");
      const sent = fromFrame(await env.restore(toState(tensors)), spec);
      this.#flying = true;
      return [{ type: "frame", timing: { total: seconds() - since } }, sent];
    }
    if (!this.#flying) throw notReset();
    if (request.type === "snapshot") {
      if (env.snapshot === undefined) throw unsupported("snapshot");
      return [{ type: "state" }, fromState(await env.snapshot())];
    }
    const result = await env.step(toActions(tensors, spec));
    const sent = fromStepResult(result, spec);
    const timing = { ...result.timing, total: seconds() - since };
    const log = result.log === undefined ? {} : { log: finiteOnly(result.log) };
    return [{ type: "result", ...log, timing }, sent];
  }

  async #welcome(hello: Requests["hello"]): Promise<Answer> {
    await this.#closeEnv();
    const { settings, groups, num_envs: numEnvs } = hello;
    const env = await this.#options.open({
      settings,
      ...(numEnvs === undefined ? {} : { numEnvs }),
      ...(groups === undefined ? {} : { groups }),
    });
    if (!this.#desk.isDriver(hello.session)) {
      await env.close();
      throw new ServeError("closing", "the driver left meanwhile", { hint: "Start again." });
    }
    this.#env = env;
    const spec = chooseGroups(env.spec, groups);
    checkSpec(spec);
    refuseOtherSize(spec, numEnvs);
    const taught = hello.capabilities.includes("teacher_actions");
    this.#spec = taught ? spec : without("teacher_actions", spec);
    return {
      type: "welcome",
      protocol: protocolVersion,
      server: { name: this.#options.name ?? "firstsolo", version: this.#options.version ?? "0" },
      capabilities: [...spec.capabilities],
      spec: toWireSpec(spec),
      spec_hash: hashSpec(spec),
      settings: env.settings as Requests["hello"]["settings"],
      notices: env.notices.slice(0, limits.notices),
      limits: { frame_bytes: limits.frameBytes, frames: limits.frames },
    };
  }

  #goodbye(from: Peer, { session, seq }: Requests["close"]): void {
    const driver = this.#desk.isDriver(session);
    this.#desk.free(session);
    this.#link.send(from, this.#encode(seq, { type: "closed" }));
    if (!driver) return;
    this.#log("the driver has left");
    this.#work = this.#work.then(() => this.#closeEnv()).catch(() => {});
    this.#onClosed();
  }

  async #closeEnv(): Promise<void> {
    const env = this.#env;
    this.#env = undefined;
    this.#spec = undefined;
    this.#flying = false;
    await env?.close();
  }

  #stillWorking(from: Peer): void {
    if (this.#job === undefined) return;
    this.#job.to = from;
    this.#progress(this.#job);
  }

  #progress({ request, since, to }: Job): void {
    const stage = stages[request.type];
    const elapsed = seconds() - since;
    this.#link.send(
      to,
      this.#encode(request.seq, { type: "progress", stage, elapsed, message: "" }),
    );
  }

  #refuse(to: Peer, seq: number, error: unknown): void {
    const body = errorBody(error);
    const version = body.code === "version-mismatch" ? { protocol: protocolVersion } : {};
    this.#link.send(to, this.#encode(seq, { type: "error", ...body, ...version }));
    if (body.code !== "busy") this.#log(`refused: ${body.message}`);
  }

  /** What the simulator gave may not fit the protocol; that is its failure, not the driver's. */
  #encodeAnswer(seq: number, answer: Answer, tensors?: Tensors): Uint8Array[] {
    try {
      return this.#encode(seq, answer, tensors);
    } catch (cause) {
      const message = `what the simulator gave cannot be sent: ${(cause as Error).message}`;
      const hint = "The simulator must follow its own specification.";
      throw new ServeError(unexplained, message, { hint, fatal: true, cause });
    }
  }

  #encode(seq: number, answer: Answer, tensors?: Tensors): Uint8Array[] {
    return encodeReply({ ...answer, seq, epoch: this.#epoch } as Reply, tensors);
  }

  #log(line: string): void {
    this.#options.onLog?.(line);
  }
}

function seconds(): number {
  return performance.now() / 1000;
}

function finiteOnly(log: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(log).filter(([, value]) => Number.isFinite(value)));
}

function refuseOtherVersion(header: Readonly<Record<string, unknown>>): void {
  const { major } = (header.protocol ?? {}) as { major?: unknown };
  if (header.type !== "hello" || major === protocolVersion.major) return;
  const problem = `got version ${String(major)}, this server speaks ${protocolVersion.major}`;
  const hint = "Install the same version of Firstsolo on both sides.";
  throw new ProtocolError("version-mismatch", problem, { field: "protocol.major", hint });
}

function chooseGroups(spec: EnvSpec, groups: readonly string[] | undefined): EnvSpec {
  if (groups === undefined) return spec;
  const known = Object.keys(spec.observations);
  const stranger = groups.find((group) => !known.includes(group));
  if (stranger !== undefined) {
    throw new ProtocolError("unknown-group", `there is no observation group ${stranger}`, {
      field: "groups",
      hint: `Known: ${known.join(", ")}.`,
    });
  }
  const kept = Object.entries(spec.observations).filter(([group]) => groups.includes(group));
  return { ...spec, observations: Object.fromEntries(kept) };
}

function refuseOtherSize({ numEnvs }: EnvSpec, asked: number | undefined): void {
  if (asked === undefined || asked === numEnvs) return;
  const message = `${asked} environments were asked for, the simulator has ${numEnvs}`;
  const hint = `Ask for ${numEnvs}, or start the simulator with ${asked}.`;
  throw new ServeError("num-envs-refused", message, { hint });
}

function notReset(): ServeError {
  const message = "there is no frame to go on from yet";
  return new ServeError("not-reset", message, { hint: "Send reset first." });
}

function unsupported(what: string): ServeError {
  const message = `this simulator cannot ${what}`;
  const hint = "Only simulators with the capability snapshot can.";
  return new ServeError("unsupported", message, { hint });
}
