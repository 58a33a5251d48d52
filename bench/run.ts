/**
 * Measures speed and memory: `node dist/bench/run.js [SECTION…] [--peer] [--memory]
 * [--seeds 1,2,3] [--only METHOD,…] [--updates N] [--episodes N] [--json FILE]`.
 * Nothing here passes or fails; figures of one run on one machine are compared with each other.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { cameraBench } from "./camera.ts";
import { projectFolder } from "./children.ts";
import { closedLoopBench } from "./closed-loop.ts";
import { familyBench } from "./family.ts";
import { flightBench, memoryBench } from "./flight.ts";
import { foreignBench } from "./foreign.ts";
import { goalBench } from "./goal.ts";
import { lapoSpeedBench } from "./lapo-speed.ts";
import { describeMachine, load } from "./machine.ts";
import { networkBench } from "./network.ts";
import { offlineBench } from "./offline.ts";
import { ownersBench } from "./owners.ts";
import { peerRunsBench, peerStepsBench } from "./peer.ts";
import { peerWireBench } from "./peer-wire.ts";
import { pipelineBench } from "./pipeline.ts";
import { plannerBench } from "./planner.ts";
import { type Bench, type BenchOptions, missing, type Row, type Section, table } from "./report.ts";
import { roundTripBench } from "./round-trip.ts";
import { sardineBench } from "./sardine.ts";
import { simulatorBench } from "./simulator.ts";
import { slatesBench } from "./slates.ts";
import { soakBench } from "./soak.ts";
import { studentsBench } from "./students.ts";
import { wireBench } from "./wire.ts";

const sections: Readonly<Record<string, Bench>> = {
  simulator: simulatorBench,
  camera: cameraBench,
  wire: wireBench,
  network: networkBench,
  run: flightBench,
  pipeline: pipelineBench,
  memory: memoryBench,
  "peer-steps": peerStepsBench,
  "peer-runs": peerRunsBench,
  "peer-wire": peerWireBench,
  "round-trip": roundTripBench,
  students: studentsBench,
  goal: goalBench,
  offline: offlineBench,
  "lapo-speed": lapoSpeedBench,
  owners: ownersBench,
  family: familyBench,
  foreign: foreignBench,
  planner: plannerBench,
  "closed-loop": closedLoopBench,
  slates: slatesBench,
  sardine: sardineBench,
  soak: soakBench,
};
/** What `--peer` asks more of them is their own business. */
const ownPeers: ReadonlySet<string> = new Set([
  ...["offline", "family", "owners", "lapo-speed", "closed-loop"],
]);
const standard = ["simulator", "wire", "network", "run"];

const usage = `usage: npm run bench -- [SECTION…] [--memory] [--peer] [--seeds 1,2,3] [--json FILE]
sections: ${Object.keys(sections).join(", ")}; without any: ${standard.join(", ")}
--memory  also a run of 6000 iterations: does memory grow? (minutes)
--peer    also PyTorch and rsl_rl on the same machine (the first time some gigabytes from PyPI);
          with offline or family alone: also d3rlpy
offline   [--only METHOD,…] [--updates 100000] [--episodes 400]; goes on from bench/results/offline
closed-loop [--only METHOD,…]; with --peer also LightZero (gigabytes, once); goes on from bench/results/closed-loop
family    the same, of all learners on three data sets (narrow and d3rlpy-iql are names, too); owners: who owns LAPO's encoder, [--only OWNER,…]
foreign   [--only NAME,…]: simulators of others from PyPI (gigabytes, once)
goal      [--only SIDE,…] [--seeds 1,2,3,4,5]: how soon 90, 95, 98 %, by fleet; goes on from bench/results/goal
soak      [--minutes 10]: a run that is hurt every few seconds; draws bench/soak.svg`;

interface Order {
  readonly names: readonly string[];
  readonly options: Omit<BenchOptions, "say">;
  readonly file: string;
}

function readOrder(): Order {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      peer: { type: "boolean", default: false },
      memory: { type: "boolean", default: false },
      seeds: { type: "string", default: "1" },
      json: { type: "string" },
      only: { type: "string", default: "" },
      updates: { type: "string", default: "100000" },
      episodes: { type: "string", default: "400" },
      minutes: { type: "string", default: "10" },
    },
  });
  const unknown = positionals.find((name) => !Object.hasOwn(sections, name));
  if (unknown !== undefined) throw new Error(`there is no section ${unknown}`);
  const chosen = positionals.length === 0 ? standard : positionals;
  const withPeer = values.peer && chosen.some((name) => !ownPeers.has(name));
  const extra = [
    ...(values.memory ? ["memory"] : []),
    ...(withPeer ? ["peer-steps", "peer-runs", "peer-wire"] : []),
  ];
  const seeds = values.seeds.split(",").map(Number);
  if (!seeds.every((seed) => Number.isInteger(seed) && seed >= 0)) {
    throw new Error(`seeds are whole numbers with commas between, got ${values.seeds}`);
  }
  const time = new Date().toISOString().replaceAll(":", "-").slice(0, 19);
  const file = values.json ?? join(projectFolder, "bench", "results", `${time}.json`);
  const offline = {
    only: values.only.split(",").filter(Boolean),
    updates: positive("--updates", values.updates),
    episodes: positive("--episodes", values.episodes),
  };
  const minutes = positive("--minutes", values.minutes);
  const options = { seeds, peer: values.peer, offline, minutes };
  return { names: [...new Set([...chosen, ...extra])], options, file };
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(`${flag} is ${text}; expected a whole number from 1`);
}

async function measure(name: string, options: BenchOptions): Promise<Section> {
  const { title, run } = sections[name]!;
  const start = performance.now();
  let rows: readonly Row[];
  try {
    rows = await run(options);
  } catch (error) {
    rows = [missing(name, error)];
  }
  return { name, title, rows, seconds: (performance.now() - start) / 1000 };
}

async function main({ names, options, file }: Order): Promise<void> {
  const machine = describeMachine();
  const { cpu, cores, loadBefore } = machine;
  console.log(
    `${cpu}, ${cores} cores, load ${loadBefore}; Node ${machine.node}, ${machine.commit}`,
  );
  if (loadBefore > 0.5) console.log("Others work here: trust ratios and CPU seconds, not times.");
  const measured: Section[] = [];
  for (const name of names) {
    const say = (line: string) => console.error(`bench: ${name}: ${line}`);
    const section = await measure(name, { ...options, say });
    measured.push(section);
    console.log(table(section));
    const result = {
      time: new Date().toISOString(),
      machine,
      loadAfter: load(),
      sections: measured,
    };
    mkdirSync(dirname(file), { recursive: true });
    // After every section, so that one that is cut short loses nothing.
    writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  }
  console.log(`\n${file}`);
}

let order: Order | undefined;
try {
  order = readOrder();
} catch (error) {
  console.error(`bench: ${(error as Error).message}\n${usage}`);
  process.exitCode = 2;
}
if (order) await main(order);
