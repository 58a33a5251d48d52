/**
 * One step there and back with nothing simulated behind it, in turns with bare ZeroMQ that carries as many bytes and looks at
 * none; and the simulator's second core. Ratios of one run: times of a busy machine mean little.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectRemote } from "../sim-adapters/remote/remote-env.ts";
import { bareTrip } from "./bare-trip.ts";
import { askChild, benchModule, benchScript, type Server, startServer } from "./children.ts";
import { pythonPath, pythonWith, wirePackages } from "./python.ts";
import { type Bench, missing, type Row, type Say } from "./report.ts";
import type { SimulatorFigures } from "./simulator-child.ts";
import { inTurns, quantile } from "./timing.ts";
import { widths } from "./trivial-env.ts";

const fleets = [100, 4096];
const turns = { rounds: 40, each: 50, warmUp: 5 } as const;

export const peerWireBench: Bench = {
  title:
    "peer-wire: a step's round trip beside bare ZeroMQ (ipc, p50), and the simulator's threads",
  run: async ({ say }) => {
    const folder = mkdtempSync(join(tmpdir(), "firstsolo-bench-"));
    try {
      const rows: Row[] = [];
      for (const numEnvs of fleets) rows.push(...(await roundTrips(folder, numEnvs, say)));
      return [...rows, ...(await threads(4096, say))];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function roundTrips(folder: string, numEnvs: number, say: Say): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const [name, start] of [
    ["built in", startBuiltIn],
    ["Python", startPython],
  ] as const) {
    const what = `${name}, N = ${numEnvs}`;
    say(what);
    try {
      rows.push(await roundTrip(what, numEnvs, await start(folder, say)));
    } catch (error) {
      rows.push(missing(what, error));
    }
  }
  return rows;
}

/** Two servers, as one has one driver at a time; and bare ZeroMQ. */
interface Servers {
  readonly frames: string;
  readonly shared: string;
  readonly bare: string;
  readonly running: readonly Server[];
}

async function startBuiltIn(folder: string): Promise<Servers> {
  const start = (name: string) =>
    startServer(
      process.execPath,
      [benchModule("trivial-server"), `ipc://${folder}/${name}`, `ipc://${folder}/${name}-bare`],
      { ready: /^\{/ },
    );
  const running = [await start("a"), await start("b")];
  const [first, second] = running.map(({ ready }) => JSON.parse(ready));
  return { frames: first.served, shared: second.served, bare: first.bare, running };
}

async function startPython(folder: string, say: Say): Promise<Servers> {
  const python = await pythonWith("wire", wirePackages, { say });
  const start = (name: string) => {
    const args = ["-u", benchScript("trivial_server"), `ipc://${folder}/${name}`];
    return startServer(python, args, { ready: /^\{/, env: pythonPath });
  };
  const { bare, running } = await startBuiltIn(folder);
  const pythons = [await start("c"), await start("d")];
  const [first, second] = pythons.map(({ ready }) => JSON.parse(ready).served as string);
  return { frames: first!, shared: second!, bare, running: [...running, ...pythons] };
}

async function roundTrip(what: string, numEnvs: number, servers: Servers): Promise<Row> {
  const connect = (endpoint: string, sharedMemory: "on" | "off") =>
    connectRemote({ endpoint, numEnvs, sharedMemory, startupTimeout: 60 });
  try {
    const frames = await connect(servers.frames, "off");
    const shared = await connect(servers.shared, "on");
    const bare = bareTrip(servers.bare, numEnvs);
    for (const env of [frames, shared]) await env.reset(1);
    const actions = new Float32Array(numEnvs * widths.action).fill(0.1);
    const taken = await inTurns(
      {
        bare: bare.trip,
        frames: () => frames.step(actions.slice()),
        shared: () => shared.step(actions.slice()),
      },
      turns,
    );
    bare.close();
    for (const env of [frames, shared]) await env.close();
    const p50 = (side: keyof typeof taken) => 1e6 * quantile(taken[side], 0.5);
    return {
      what,
      figures: {
        "bare, µs": p50("bare"),
        "frames, µs": p50("frames"),
        "shared, µs": p50("shared"),
        "frames / bare": p50("frames") / p50("bare"),
        "frames / shared": p50("frames") / p50("shared"),
      },
    };
  } finally {
    for (const server of servers.running) await server.stop();
  }
}

/** Environment steps per second of wall time; per processor second they should be the same. */
async function threads(numEnvs: number, say: Say): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const count of [1, 2]) {
    const what = `simulator, N = ${numEnvs}, ${count} thread${count === 1 ? "" : "s"}`;
    say(what);
    try {
      const args = [benchModule("simulator-child"), "quadcopter-noisy", String(numEnvs)];
      const found = await askChild<SimulatorFigures>(process.execPath, [...args, String(count)], {
        seconds: 120,
      });
      const { stepsPerSecond, stepsPerCpuSecond } = found;
      const figures = { "steps/s": stepsPerSecond, "steps/CPU s": stepsPerCpuSecond };
      rows.push({ what, figures });
    } catch (error) {
      rows.push(missing(what, error));
    }
  }
  return rows;
}
