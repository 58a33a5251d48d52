import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";
import { Context, Dealer, Router } from "zeromq";
import type { Tensors } from "../../protocol/codec.ts";
import {
  decodeReply,
  encodeRequest,
  type Message,
  type Reply,
  type Request,
} from "../../protocol/messages.ts";
import {
  connectRemote,
  type RemoteEnv,
  type RemoteOptions,
} from "../../sim-adapters/remote/remote-env.ts";
import { type EnvServer, type ServeOptions, serveEnv } from "../../sim-adapters/serve/serve-env.ts";
import { compiledProgram } from "../compiled.ts";
import { pythonEnv } from "../python-env.ts";
import { PointMass } from "./point-mass.ts";

/** Real servers and clients for tests; everything opened here is closed after each test. */

/** After the test that runs now; the last that was said first. */
export function atEnd(ending: () => Promise<void> | void): void {
  onTestFinished(() => ending());
}

/** A socket file of its own. */
export function socketFile(): string {
  const path = join(tmpdir(), `firstsolo-${randomBytes(6).toString("hex")}.ipc`);
  atEnd(() => rmSync(path, { force: true }));
  return `ipc://${path}`;
}

/** The point mass of this process behind a socket. */
export async function nodeServer(options: Partial<ServeOptions> = {}): Promise<EnvServer> {
  const where = options.connect === undefined ? { bind: socketFile() } : {};
  const server = await serveEnv({
    open: async (asked) => new PointMass(asked),
    ...where,
    ...options,
  });
  atEnd(() => server.close());
  return server;
}

export interface PythonServer {
  readonly endpoint: string;
  readonly child: ChildProcess;
  /** Settles with a line when the process has ended. */
  readonly exited: Promise<string>;
}

/** The point mass of the Python package in a process of its own. */
export async function pythonServer(
  ...given: (string | { readonly onLog: (line: string) => void })[]
): Promise<PythonServer> {
  const args = given.filter((word) => typeof word === "string");
  const told = given.find((word) => typeof word !== "string");
  const where =
    args.includes("--connect") || args.includes("--bind") ? [] : ["--bind", socketFile()];
  const module = ["-u", "-m", "firstsolo_sim.examples.point_mass"];
  const child = spawn(await pythonEnv(), [...module, ...where, ...args], {
    stdio: ["ignore", "pipe", told === undefined ? "inherit" : "pipe"],
  });
  if (told !== undefined && child.stderr !== null) {
    createInterface({ input: child.stderr }).on("line", told.onLog);
  }
  const exited = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) => resolve(`the simulator ended (${signal ?? code})`));
  });
  atEnd(() => {
    child.kill("SIGKILL");
  });
  for await (const line of createInterface({ input: child.stdout! })) {
    if (line.startsWith("ready ")) return { endpoint: line.slice(6), child, exited };
  }
  throw new Error("the Python server did not start");
}

let program: string | undefined;

/** The built-in simulator in a process of its own. */
export async function servedProcess(): Promise<PythonServer> {
  program ??= compiledProgram();
  const bind = socketFile();
  const args = [program, "sim", "--num_envs", "8", "--bind", bind, "--exit-with-stdin"];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "ignore"] });
  const exited = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) => resolve(`the simulator ended (${signal ?? code})`));
  });
  atEnd(() => {
    child.kill("SIGKILL");
  });
  for await (const line of createInterface({ input: child.stdout! })) {
    if (line.includes("ready at")) return { endpoint: bind, child, exited };
  }
  throw new Error("the built-in simulator did not start");
}

export async function connect(options: RemoteOptions): Promise<RemoteEnv> {
  const env = await connectRemote({ startupTimeout: 20, ...options });
  atEnd(() => env.close());
  return env;
}

/** A client that can say anything. */
export class RawClient {
  readonly #socket: Dealer;

  constructor(endpoint: string) {
    this.#socket = new Dealer({ context: new Context(), linger: 0, receiveTimeout: 5000 });
    this.#socket.connect(endpoint);
    atEnd(() => this.#socket.close());
  }

  async say(frames: Uint8Array[]): Promise<Message<Reply> & { frames: Uint8Array[] }> {
    await this.#socket.send(frames);
    return this.hear();
  }

  async hear(): Promise<Message<Reply> & { frames: Uint8Array[] }> {
    const frames = await this.#socket.receive();
    return { ...decodeReply(frames), frames };
  }

  ask(header: Request, tensors?: Tensors) {
    return this.say(encodeRequest(header, tensors));
  }
}

/** What a proxy does with one message: the messages to pass on in its place. */
export type Meddle = (frames: Buffer[], count: number) => Buffer[][];
const honest: Meddle = (frames) => [frames];

/** A real relay between one client and a server, which may drop, repeat or change what passes. */
export async function proxy(
  server: string,
  { requests = honest, replies = honest }: { requests?: Meddle; replies?: Meddle },
): Promise<string> {
  const context = new Context();
  const front = new Router({ context, linger: 0 });
  const back = new Dealer({ context, linger: 0 });
  const endpoint = socketFile();
  await front.bind(endpoint);
  back.connect(server);
  let client: Buffer | undefined;
  const forth = async () => {
    let count = 0;
    for await (const [from, ...frames] of front) {
      client = from;
      for (const message of requests(frames, ++count)) await back.send(message);
    }
  };
  const home = async () => {
    let count = 0;
    for await (const frames of back) {
      for (const message of replies(frames, ++count)) await front.send([client!, ...message]);
    }
  };
  const running = Promise.allSettled([forth(), home()]);
  atEnd(async () => {
    front.close();
    back.close();
    await running;
  });
  return endpoint;
}
