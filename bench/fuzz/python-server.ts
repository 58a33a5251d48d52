/** Messages from strangers, to the server of our Python package. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { EnvSpec } from "../../protocol/spec.ts";
import { pythonWith, wirePackages } from "../python.ts";
import { projectFolder } from "./files.ts";
import { changedFrames, requestCorpus } from "./messages.ts";
import type { Target } from "./target.ts";

const tensor = { dtype: "<f4", names: [], units: [] } as const;
const mass: EnvSpec = {
  ...{ task: "point-mass", numEnvs: 2, controlPeriod: 0.05, maxEpisodeSteps: 20 },
  ...{ autoreset: "same_step", capabilities: ["snapshot"] },
  observations: { policy: { ...tensor, shape: [2] }, exact: { ...tensor, shape: [1] } },
  action: { ...tensor, shape: [1], low: [-1], high: [1] },
};
/** Bytes of a state of both masses. */
const stateBytes = 48;

/** All of it but its socket, in a process of its own: python_server.py. */
export async function pythonRequests(): Promise<Target> {
  const python = await pythonWith("sim", wirePackages, { say: console.error });
  const folder = projectFolder();
  const child = spawn(python, [join(folder, "bench/fuzz/python_server.py")], {
    env: {
      ...process.env,
      PYTHONPATH: join(folder, "sim-adapters/python"),
      PYTHONDONTWRITEBYTECODE: "1",
    },
  });
  let said = "";
  child.stderr.on("data", (data: Buffer) => {
    said = `${said}${data}`.slice(-1000);
  });
  // It may end while it is written to: its reader hears of it.
  child.stdin.on("error", () => undefined);
  const verdicts = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    title: "requests at the Python server",
    corpus: () => requestCorpus(mass, stateBytes),
    change: changedFrames,
    together: 256,
    take: async (bytes) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      child.stdin.write(Buffer.concat([length, bytes]));
      const { value, done } = await verdicts.next();
      if (done) throw new Error(`the Python server ended: ${said.trim()}`);
      if (value !== "") throw new Error(value);
    },
    close: async () => {
      child.stdin.end();
      if (child.exitCode === null && child.signalCode === null) await once(child, "close");
    },
  };
}
