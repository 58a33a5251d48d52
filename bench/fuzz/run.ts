/**
 * Bytes from strangers, many: `npm run fuzz -- [TARGET…] [--seed 1] [--from 0] [--count N]`; `kill` is another
 * thing: kill.ts. Default: 10⁶ messages each way and 10⁵ files of each kind. A fault is whatever is neither read nor refused with words and the next
 * move, takes more than 5 s or more than 1 GiB. Each is kept in test/data/fuzz/, which `npm test` reads again.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { projectFolder } from "../children.ts";
import { pythonWith, wirePackages } from "../python.ts";
import { type TargetName, targets } from "./targets.ts";

/** Seconds of processor time after which an input counts as one that never ends, or of doing nothing at all. */
const patience = 60;
const silence = 600;
/** Of a second: in these Linux counts. */
const ticks = 100;
/** Inputs of one process. */
const share = 20_000;
const mostMegabytes = 1024;
const messages = ["requests", "replies", "python"];
const worker = fileURLToPath(new URL("./worker.js", import.meta.url));
const kept = join(projectFolder, "test", "data", "fuzz");

interface Order {
  readonly name: TargetName;
  readonly seed: number;
  readonly from: number;
  readonly count: number;
}

interface Found {
  readonly faults: number;
  readonly slowest: number;
  readonly peak: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: "string", default: "1" },
    from: { type: "string", default: "0" },
    count: { type: "string" },
  },
});
if (positionals[0] === "kill") {
  const { killAll } = await import("./kill.ts");
  const [seed, from, count] = [values.seed, values.from, values.count ?? 30].map(Number);
  process.exit((await killAll({ seed: seed!, from: from!, count: count! })) === 0 ? 0 : 1);
}
const unknown = positionals.find((name) => !Object.hasOwn(targets, name));
if (unknown !== undefined) {
  console.error(`there is no target ${unknown}; known: ${Object.keys(targets).join(", ")}`);
  process.exit(2);
}
const names = (positionals.length > 0 ? positionals : Object.keys(targets)) as TargetName[];
// Installing has no part in the time that an input may take.
if (names.includes("python")) await pythonWith("sim", wirePackages, { say: console.error });
let faults = 0;
for (const name of names) {
  const count = Number(values.count ?? (messages.includes(name) ? 1_000_000 : 100_000));
  faults += await tryAll({ name, seed: Number(values.seed), from: Number(values.from), count });
}
process.exit(faults === 0 ? 0 : 1);

async function tryAll({ name, seed, from, count }: Order): Promise<number> {
  const since = performance.now();
  let all: Found = { faults: 0, slowest: 0, peak: 0 };
  for (let at = from; at < from + count; at += share) {
    const one = await tryShare({ name, seed, from: at, count: Math.min(share, from + count - at) });
    all = {
      faults: all.faults + one.faults,
      slowest: Math.max(all.slowest, one.slowest),
      peak: Math.max(all.peak, one.peak),
    };
  }
  const seconds = ((performance.now() - since) / 1000).toFixed(0);
  const figures = `slowest ${all.slowest.toFixed(2)} s, ${all.peak.toFixed(0)} MiB at most`;
  console.log(
    `${name}: ${count} inputs, seed ${seed}: ${all.faults} faults; ${figures}; ${seconds} s in all`,
  );
  return all.faults;
}

async function tryShare(order: Order): Promise<Found> {
  const folder = mkdtempSync(join(tmpdir(), "firstsolo-fuzz-"));
  const mark = join(folder, "mark");
  const words = [order.name, order.seed, order.from, order.count, mark].map(String);
  const child = spawn(process.execPath, [worker, ...words], { stdio: ["ignore", "pipe", "pipe"] });
  let found: Found = { faults: 0, slowest: 0, peak: 0 };
  let done = false;
  let said = "";
  child.stderr.on("data", (data: Buffer) => {
    said = `${said}${data}`.slice(-2000);
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const watching = watch(mark, child);
  for await (const line of createInterface({ input: child.stdout })) {
    const told = JSON.parse(line);
    if (told.done === true) {
      done = true;
      found = { ...found, slowest: told.slowest, peak: told.peak };
    } else {
      found = { ...found, faults: found.faults + 1 };
      report(order, told.index, told.problem, Buffer.from(told.bytes, "base64"));
    }
  }
  await ended;
  clearInterval(watching);
  if (!done) {
    const at = Number(readFileSync(mark, "utf8"));
    report(order, at, `ended with ${child.signalCode ?? child.exitCode}: ${said.trim()}`);
    found = { ...found, faults: found.faults + 1 };
  }
  if (found.peak > mostMegabytes) {
    report(order, order.from, `its process took ${found.peak.toFixed(0)} MiB`);
    found = { ...found, faults: found.faults + 1 };
  }
  rmSync(folder, { recursive: true, force: true });
  return found;
}

/** Ends what has been with one input for too long: what others compute meanwhile makes none endless. */
function watch(mark: string, child: ChildProcess): NodeJS.Timeout {
  let [last, used, since] = ["", 0, performance.now()];
  return setInterval(() => {
    const now = readFileSync(mark, { encoding: "utf8", flag: "a+" });
    const time = processorTime(child.pid!);
    if (now !== last) [last, used, since] = [now, time, performance.now()];
    else if (time - used > patience || performance.now() - since > silence * 1000) {
      console.log(
        `ends ${child.pid}: ${(time - used).toFixed(1)} s of processor time with input ${now}`,
      );
      child.kill("SIGKILL");
    }
  }, 1000);
}

/** Seconds; 0 where there is no /proc, or no such process any more. */
function processorTime(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [user, system] = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .slice(11, 13);
    return (Number(user) + Number(system)) / ticks;
  } catch {
    return 0;
  }
}

function report({ name, seed }: Order, index: number, problem: string, bytes?: Uint8Array): void {
  const again = `npm run fuzz -- ${name} --seed ${seed} --from ${index} --count 1`;
  console.log(`${name} ${index}: ${problem.split("\n").slice(0, 3).join(" | ")}\n  → ${again}`);
  if (bytes === undefined) return;
  mkdirSync(kept, { recursive: true });
  const digest = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
  writeFileSync(join(kept, `${name}-${digest}.bin`), bytes);
}
