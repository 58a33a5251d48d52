/** The lock-step round trip: one step there and back, with nothing simulated behind it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectRemote } from "../sim-adapters/remote/remote-env.ts";
import { bareTrip } from "./bare-trip.ts";
import { benchModule, benchScript, type Server, startServer } from "./children.ts";
import { pythonPath, pythonWith, wirePackages } from "./python.ts";
import { type Bench, missing, type Row, type Say } from "./report.ts";
import { quantile, timed } from "./timing.ts";
import { widths } from "./trivial-env.ts";

const fleets = [1, 100, 1024, 4096];
const patience = { warmUp: 200, seconds: 1, least: 200, most: 5000 } as const;

export const wireBench: Bench = {
  title: "wire: one step's round trip, µs; `bare` is ZeroMQ with as many bytes and no protocol",
  run: async ({ say }) => {
    const folder = mkdtempSync(join(tmpdir(), "firstsolo-bench-"));
    try {
      const rows: Row[] = [];
      for (const transport of ["ipc", "tcp"]) {
        const address = (name: string) =>
          transport === "ipc" ? `ipc://${folder}/${name}` : "tcp://127.0.0.1:0";
        rows.push(...(await overTransport(transport, address, say)));
      }
      return rows;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

type Address = (name: string) => string;

async function overTransport(name: string, address: Address, say: Say): Promise<readonly Row[]> {
  const builtIn = await startServer(
    process.execPath,
    [benchModule("trivial-server"), address("served"), address("bare")],
    { ready: /^\{/ },
  );
  try {
    const { served, bare } = JSON.parse(builtIn.ready) as { served: string; bare: string };
    const python = await openPython(address("python"), say);
    try {
      const rows: Row[] = [];
      for (const numEnvs of fleets) {
        say(`${name}, N = ${numEnvs}`);
        const what = `${name}, N = ${numEnvs}`;
        const floor = await bareTrips(bare, numEnvs);
        rows.push(row(`${what}: bare`, floor));
        rows.push(row(`${what}: built in`, await trips(served, numEnvs, "off"), floor));
        rows.push(row(`${what}: shared memory`, await trips(served, numEnvs, "on"), floor));
        if ("error" in python) rows.push(missing(`${what}: Python`, python.error));
        else rows.push(row(`${what}: Python`, await trips(python.endpoint, numEnvs, "off"), floor));
      }
      return rows;
    } finally {
      if ("server" in python) await python.server.stop();
    }
  } finally {
    await builtIn.stop();
  }
}

type OpenedPython = { server: Server; endpoint: string } | { error: unknown };

async function openPython(endpoint: string, say: Say): Promise<OpenedPython> {
  try {
    const python = await pythonWith("wire", wirePackages, { say });
    const args = ["-u", benchScript("trivial_server"), endpoint];
    const server = await startServer(python, args, { ready: /^\{/, env: pythonPath });
    return { server, endpoint: (JSON.parse(server.ready) as { served: string }).served };
  } catch (error) {
    return { error };
  }
}

function row(what: string, seconds: readonly number[], floor?: readonly number[]): Row {
  const at = (share: number) => 1e6 * quantile(seconds, share);
  const ratio = floor && { "× bare": quantile(seconds, 0.5) / quantile(floor, 0.5) };
  return { what, figures: { "p50 µs": at(0.5), "p99 µs": at(0.99), ...ratio } };
}

/** Through the client that `train` uses. */
async function trips(
  endpoint: string,
  numEnvs: number,
  sharedMemory: "on" | "off",
): Promise<readonly number[]> {
  const env = await connectRemote({ endpoint, numEnvs, sharedMemory, startupTimeout: 20 });
  try {
    await env.reset(1);
    const actions = new Float32Array(numEnvs * widths.action).fill(0.1);
    return await timed(() => env.step(actions.slice()), patience);
  } finally {
    await env.close();
  }
}

async function bareTrips(endpoint: string, numEnvs: number): Promise<readonly number[]> {
  const bare = bareTrip(endpoint, numEnvs);
  try {
    return await timed(bare.trip, patience);
  } finally {
    bare.close();
  }
}
