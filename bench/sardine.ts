/** SARDINE's own simulator (PyPI `sardine-rec`), flown through our Gymnasium adapter: are its clicks those that were recorded without it? */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Random } from "../policies/random.ts";
import { connectRemote } from "../sim-adapters/remote/remote-env.ts";
import type { VectorEnv } from "../sim-adapters/vector-env.ts";
import { projectFolder, startServer } from "./children.ts";
import { pythonPath, pythonWith, wirePackages } from "./python.ts";
import { type Bench, missing, type Row, type Say } from "./report.ts";

const packages = ["sardine-rec==1.0.8", "gymnasium==1.4.0", ...wirePackages];
const tasks = ["SlateTopK-Bored-v0", "SlateTopK-BoredInf-v0", "SlateTopK-Uncertain-v0"];
/** How likely a slot is any item; else the simulator puts its oracle's there. */
const policies = { random: 1, logging_eps_0_5: 0.5, oracle: 0 } as const;
type PolicyName = keyof typeof policies;

const numEnvs = 20;
const rounds = 10;

interface Recorded {
  readonly mean_clicks: number;
  /** Half width. */
  readonly ci95: number;
}

export const sardineBench: Bench = {
  title: `sardine: clicks per episode of ${numEnvs * rounds}, through the adapter and as recorded without it`,
  run: async ({ say }) => {
    const rows: Row[] = [];
    for (const task of tasks) {
      try {
        rows.push(...(await compare(task, say)));
      } catch (error) {
        rows.push(missing(task, error));
      }
    }
    return rows;
  },
};

async function compare(task: string, say: Say): Promise<readonly Row[]> {
  const python = await pythonWith("sardine", packages, { say });
  const folder = mkdtempSync(join(tmpdir(), "firstsolo-bench-"));
  const endpoint = `ipc://${folder}/sardine`;
  const name = `sardine_env:boxes/${task}`;
  const args = [
    "-u",
    "-m",
    "firstsolo_sim.gymnasium",
    "--env",
    name,
    "--control_period",
    "1",
    "--bind",
    endpoint,
  ];
  const path = [pythonPath.PYTHONPATH, join(projectFolder, "bench")].join(delimiter);
  const env = { ...pythonPath, PYTHONPATH: path };
  const server = await startServer(python, args, { ready: /ready|ipc:/, env });
  try {
    const flown = await connectRemote({ endpoint, numEnvs, startupTimeout: 120 });
    const rows: Row[] = [];
    for (const policy of Object.keys(policies) as PolicyName[]) {
      say(`${task}, ${policy}`);
      rows.push(rowOf(task, policy, await clicksOf(flown, policy)));
    }
    await flown.close();
    return rows;
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Of whole episodes. */
async function clicksOf(env: VectorEnv, policy: PolicyName): Promise<readonly number[]> {
  const random = new Random(1);
  const returns = new Float64Array(numEnvs);
  const all: number[] = [];
  await env.reset(1);
  while (all.length < numEnvs * rounds) {
    const { rewards, truncated } = await env.step(slatesOf(env, random, policies[policy]));
    for (let i = 0; i < numEnvs; i++) {
      returns[i]! += rewards[i]!;
      if (truncated[i] === 0) continue;
      all.push(returns[i]!);
      returns[i] = 0;
    }
  }
  return all;
}

function slatesOf({ spec }: VectorEnv, { uniform }: Random, any: number): Float32Array {
  const width = spec.action.shape[0]!;
  const items = spec.action.high[0]! + 1;
  return Float32Array.from({ length: numEnvs * width }, () =>
    uniform() < any ? Math.floor(items * uniform()) : -1,
  );
}

function rowOf(task: string, policy: PolicyName, clicks: readonly number[]): Row {
  const file = join(projectFolder, "test/data/slates/sardine-statistics.json");
  const { environments } = JSON.parse(readFileSync(file, "utf8"));
  const { mean_clicks, ci95 } = environments[`sardine/${task}`].policies[policy] as Recorded;
  const mean = clicks.reduce((sum, one) => sum + one, 0) / clicks.length;
  const square = clicks.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  const error = Math.sqrt(square / (clicks.length - 1) / clicks.length);
  return {
    what: `${task}, ${policy}`,
    figures: {
      "through the adapter": mean,
      recorded: mean_clicks,
      "standard errors apart": (mean - mean_clicks) / Math.hypot(error, ci95 / 1.96),
    },
  };
}
