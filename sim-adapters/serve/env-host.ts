import { randomBytes } from "node:crypto";
import type { Tensors } from "../../protocol/codec.ts";
import { checkSpec, hashSpec, toWireSpec, without } from "../../protocol/env-spec.ts";
import { HeaderMemory } from "../../protocol/header-memory.ts";
import { limits, protocolVersion, times } from "../../protocol/limits.ts";
import { encodeReply, type Request, type Requests } from "../../protocol/messages.ts";
import {
  fromFrame,
  fromState,
  fromStepResult,
  toActions,
  toState,
} from "../../protocol/payload.ts";
import type { EnvSpec } from "../../protocol/spec.ts";
import { visibleText } from "../../protocol/visible.ts";
import { type Answer, numbered } from "./answer.ts";
import { HostLane } from "./host-lane.ts";
import { QuietLog } from "./quiet-log.ts";
import { readRequest } from "./read-request.ts";
import {
  chooseGroups,
  closing,
  driverLeft,
  finiteOnly,
  notReset,
  refuseOtherSize,
  unsupported,
  withoutStrangePictures,
} from "./refusals.ts";
import { type Peer, type RouterLink, samePeer } from "./router-link.ts";
import { errorBody, ServeError, stackOf, unexplained } from "./serve-error.ts";
import type { ServedEnv, ServeOptions } from "./served-env.ts";
import { SessionOrder } from "./session-order.ts";
import { StrangerLimit } from "./stranger-limit.ts";

type Ordered = Exclude<Request, { type: "ping" } | { type: "close" }>;

/** A request being worked on; `to` changes when the driver asks again over a new connection. */
interface Job {
  readonly request: Ordered;
  readonly since: number;
  /** When the driver was last told that it is worked on. */
  told: number;
  to: Peer;
}

const stages: Readonly<Record<Ordered["type"], string>> = {
  hello: "loading",
  reset: "resetting",
  step: "stepping",
  snapshot: "saving",
  restore: "restoring",
};

/** Requests in, replies out, one environment in between. */
export class EnvHost {
  readonly #options: ServeOptions;
  readonly #link: Pick<RouterLink, "send">;
  readonly #onClosed: () => void;
  readonly #epoch = randomBytes(12).toString("hex");
  readonly #order = new SessionOrder();
  readonly #quiet = new QuietLog((line) => this.#log(line));
  readonly #limit = new StrangerLimit();
  readonly #headers = new HeaderMemory<Request>();
  readonly #lane: HostLane;
  /** Beats while something is worked on: one for all, as a timer for each request would cost more than a short step. */
  readonly #clock: NodeJS.Timeout;
  /** The connection the driver was last heard on. */
  #driver: Peer = new Uint8Array();
  #env: ServedEnv | undefined;
  /** What the driver was told: the environment's specification with the groups it asked for. */
  #spec: EnvSpec | undefined;
  #flying = false;
  #closing = false;
  #job: Job | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(options: ServeOptions, link: Pick<RouterLink, "send">, onClosed: () => void) {
    this.#options = options;
    this.#link = link;
    this.#onClosed = onClosed;
    this.#lane = new HostLane(options, (line) => this.#log(line));
    this.#clock = setInterval(() => this.#beat(seconds()), (times.beatInterval * 1000) / 4);
    this.#clock.unref();
  }

  receive(from: Peer, frames: readonly Uint8Array[]): void {
    const driver = samePeer(from, this.#driver);
    if (!driver && !this.#limit.admits(Buffer.from(from).toString("latin1"), seconds())) return;
    let seq = 0;
    try {
      const { header, tensors } = this.#headers.read(frames, (unknown) =>
        readRequest(unknown, (found) => {
          seq = found;
        }),
      );
      seq = header.seq;
      this.#dispatch(from, header, tensors);
      if (header.session !== undefined && this.#order.isDriver(header.session)) this.#driver = from;
    } catch (error) {
      this.#refuse(from, seq, error);
    }
  }

  /** Lets the request under way end; whatever else is asked is told that this is the end. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#work;
    clearInterval(this.#clock);
    await this.#closeEnv();
  }

  #dispatch(from: Peer, request: Request, tensors: Tensors): void {
    const now = seconds();
    if (request.type === "ping") {
      this.#order.hear(request.session, now);
      if (request.spare === true) {
        this.#quiet.say("the runner flies another simulator: this is a spare", now);
      }
      this.#link.send(from, this.#encode(request.seq, { type: "pong" }));
      return;
    }
    if (this.#closing && request.type !== "close") throw closing();
    const verdict = this.#order.judge(request, now);
    if (verdict.kind === "refuse") throw verdict.error;
    if (verdict.kind === "replay") this.#link.send(from, this.#lane.again(request, verdict.reply));
    else if (verdict.kind === "working") this.#stillWorking(from);
    else if (request.type === "close") this.#goodbye(from, request);
    else {
      const whole = this.#lane.tensorsOf(request, tensors);
      this.#start({ request, to: from, since: now, told: now }, whole);
    }
  }

  #start(job: Job, tensors: Tensors): void {
    const { request } = job;
    if (request.type === "hello") {
      this.#order.open(request, job.since);
      this.#log(`driven by ${request.client.name} ${request.client.version}`);
    } else this.#order.begin(request.seq);
    this.#job = job;
    this.#work = this.#work.then(() => this.#carryOut(job, tensors));
  }

  async #carryOut(job: Job, tensors: Tensors): Promise<void> {
    const { session, seq, type } = job.request;
    try {
      const [answer, sent] = await this.#answer(job.request, tensors, job.since);
      const frames = this.#encodeAnswer(job.request, answer, sent);
      if (this.#order.finish(session, seq, frames, seconds())) this.#link.send(job.to, frames);
    } catch (error) {
      const body = errorBody(error);
      this.#log(`${type} failed: ${body.code === unexplained ? stackOf(error) : body.message}`);
      const frames = this.#encode(seq, { type: "error", ...body });
      const driving = this.#order.finish(session, seq, frames, seconds());
      if (driving) this.#link.send(job.to, frames);
      if (driving && type === "hello") this.#order.free(session);
    } finally {
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
    const timing: Record<string, number> = Object.assign({}, result.timing);
    timing.total = seconds() - since;
    if (result.log === undefined) return [{ type: "result", timing }, sent];
    return [{ type: "result", log: finiteOnly(result.log), timing }, sent];
  }

  async #welcome(hello: Requests["hello"]): Promise<Answer> {
    await this.#closeEnv();
    const { settings, groups, num_envs: numEnvs } = hello;
    const env = await this.#options.open({
      settings,
      ...(numEnvs === undefined ? {} : { numEnvs }),
      ...(groups === undefined ? {} : { groups }),
    });
    if (!this.#order.isDriver(hello.session)) {
      await env.close();
      throw driverLeft();
    }
    this.#env = env;
    const { minor } = hello.protocol;
    const chosen = chooseGroups(env.spec, groups);
    const { spec, notices } = withoutStrangePictures(chosen, { minor, asked: groups });
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
      notices: [...notices, ...env.notices].slice(0, limits.notices),
      limits: { frame_bytes: limits.frameBytes, frames: limits.frames },
      ...this.#lane.open(this.#spec, hello),
    };
  }

  #goodbye(from: Peer, { session, seq }: Requests["close"]): void {
    const driver = this.#order.isDriver(session);
    this.#order.free(session);
    this.#link.send(from, this.#encode(seq, { type: "closed" }));
    if (!driver) return;
    this.#log("the driver has left");
    this.#work = this.#work.then(() => this.#closeEnv()).catch(() => {});
    this.#onClosed();
  }

  async #closeEnv(): Promise<void> {
    const env = this.#env;
    this.#lane.close();
    this.#env = undefined;
    this.#spec = undefined;
    this.#flying = false;
    await env?.close();
  }

  #stillWorking(from: Peer): void {
    if (this.#job === undefined) return;
    this.#job.to = from;
    this.#progress(this.#job, seconds());
  }

  #beat(now: number): void {
    const job = this.#job;
    if (job !== undefined && now - job.told >= times.beatInterval) this.#progress(job, now);
  }

  #progress(job: Job, now: number): void {
    const { request, since, to } = job;
    const stage = stages[request.type];
    const elapsed = now - since;
    job.told = now;
    this.#link.send(
      to,
      this.#encode(request.seq, { type: "progress", stage, elapsed, message: "" }),
    );
  }

  #refuse(to: Peer, seq: number, error: unknown): void {
    const body = errorBody(error);
    const version = body.code === "version-mismatch" ? { protocol: protocolVersion } : {};
    this.#link.send(to, this.#encode(seq, { type: "error", ...body, ...version }));
    if (body.code !== "busy") this.#quiet.say(`refused: ${body.message}`, seconds());
  }

  /** What the simulator gave may not fit the protocol; that is its failure, not the driver's. */
  #encodeAnswer(request: Ordered, answer: Answer, tensors?: Tensors): Uint8Array[] {
    try {
      return this.#lane.answer(request, tensors, (shared, rest) =>
        this.#encode(request.seq, shared ? ({ ...answer, shared } as Answer) : answer, rest),
      );
    } catch (cause) {
      const message = `what the simulator gave cannot be sent: ${(cause as Error).message}`;
      const hint = "The simulator must follow its own specification.";
      throw new ServeError(unexplained, message, { hint, fatal: true, cause });
    }
  }

  #encode(seq: number, answer: Answer, tensors?: Tensors): Uint8Array[] {
    return encodeReply(numbered(answer, seq, this.#epoch), tensors);
  }

  #log(line: string): void {
    this.#options.onLog?.(visibleText(line));
  }
}

function seconds(): number {
  return performance.now() / 1000;
}
