/**
 * The lock of a run between two hosts over a network's file system: `node dist/bench/nfs-lock.js FOLDER 1|2 [ROUNDS]`, on
 * each host, FOLDER the same one as each of them sees it. Both take hold of new runs at a moment; then 1 flies and 2 asks,
 * 1 is killed, 2 takes over; then 1 is stopped for as long, and must write nothing when it goes on.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ControlMailbox } from "../src/runs/control.ts";
import { RunFolder } from "../src/runs/run-folder.ts";
import { RunLock, refuseLivingFlight } from "../src/runs/run-lock.ts";

const [folder = ".", who = "1", rounds = "200"] = process.argv.slice(2);
const other = who === "1" ? "2" : "1";
const seconds = (since: number) => ((performance.now() - since) / 1000).toFixed(1);

if (rounds === "fly") await fly(folder);
else {
  await race(Number(rounds));
  for (const signal of ["SIGKILL", "SIGSTOP"] as const) await hand(signal);
}

/** Each waits for the other's mark; a listing is asked of the server, whatever is remembered of single files. */
async function meet(name: string): Promise<void> {
  writeFileSync(join(folder, `${name}-${who}`), "");
  while (!readdirSync(folder).includes(`${name}-${other}`)) await sleep(20);
}

async function race(count: number): Promise<void> {
  let won = 0;
  for (let round = 0; round < count; round += 1) {
    const run = join(folder, `race-${round}`);
    mkdirSync(run, { recursive: true });
    await meet(`ready-${round}`);
    if (taken(run) !== undefined) {
      won += 1;
      writeFileSync(join(run, `won-${who}`), "");
    }
    await meet(`raced-${round}`);
    const winners = readdirSync(run).filter((name) => name.startsWith("won-"));
    if (winners.length !== 1)
      console.log(`${who}: FAULT: round ${round} has ${winners.length} winners`);
  }
  console.log(`${who}: ${count} runs taken hold of by both at a moment, ${won} won here`);
}

function taken(run: string): RunLock | undefined {
  try {
    return RunLock.take(run, () => {});
  } catch {
    return undefined;
  }
}

/** Host 1 flies until it gets the signal; host 2 asks for the run all along. */
async function hand(signal: "SIGKILL" | "SIGSTOP"): Promise<void> {
  const run = join(folder, `handed-${signal}`);
  mkdirSync(run, { recursive: true });
  if (who === "1") {
    const flight = spawn(process.execPath, [fileURLToPath(import.meta.url), run, who, "fly"]);
    while (!existsSync(join(run, "control/alive.json"))) await sleep(50);
    await meet(`flies-${signal}`);
    await sleep(15_000);
    flight.kill(signal);
    await meet(`hurt-${signal}`);
    await meet(`over-${signal}`);
    if (signal === "SIGSTOP") await wake(flight);
    await meet(`done-${signal}`);
    return;
  }
  await meet(`flies-${signal}`);
  const refused = await ask(run, () => readdirSync(folder).includes(`hurt-${signal}-1`));
  await meet(`hurt-${signal}`);
  const since = performance.now();
  const later = await ask(run, () => false);
  console.log(
    `2: ${signal}: refused ${refused} times while it flew; then for ${seconds(since)} s, ${later} times; taken over`,
  );
  const mailbox = ControlMailbox.open(run, { ask: () => {} }, { onFailure: console.log });
  const beating = setInterval(() => mailbox.poll(), 300);
  await meet(`over-${signal}`);
  await meet(`done-${signal}`);
  clearInterval(beating);
  await mailbox.close();
  const strange = readdirSync(run).filter((name) => name.startsWith("model_999"));
  if (strange.length > 0) console.log(`2: FAULT: the other wrote ${strange.join(", ")}`);
}

/** Times it was refused. */
async function ask(run: string, enough: () => boolean): Promise<number> {
  for (let refused = 0; ; refused += 1) {
    try {
      await refuseLivingFlight(run);
      return refused;
    } catch {
      if (enough()) return refused + 1;
      await sleep(200);
    }
  }
}

async function wake(flight: ChildProcess): Promise<void> {
  const since = performance.now();
  let said = "";
  flight.stdout!.on("data", (data: Buffer) => {
    said += data;
  });
  flight.kill("SIGCONT");
  await new Promise((resolve) => flight.once("close", resolve));
  console.log(`1: went on after it was stopped, ${seconds(since)} s later: ${said.trim()}`);
}

/** Writes a checkpoint every 100 ms, as a run would. */
async function fly(run: string): Promise<void> {
  const mailbox = ControlMailbox.open(run, { ask: () => {} }, { onFailure: () => {} });
  const written = new RunFolder(run, "abcdefgh");
  written.heldBy({ lock: mailbox.lock, say: () => {} });
  for (let i = 0; ; i += 1) {
    mailbox.write(i);
    const ours = readFileSync(join(run, "control/lock.json"), "utf8").includes(mailbox.lock.token);
    try {
      await written.saveCheckpoint(ours ? "model_1.pt" : "model_999.pt", Uint8Array.of(i));
    } catch (error) {
      console.log((error as Error).message);
      process.exit(0);
    }
    await sleep(100);
  }
}
