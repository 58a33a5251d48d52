/**
 * A flight without a simulator, in a process of its own: the real steering, mailbox, files and screen around rows that
 * are known beforehand. `node --import ./run-ts.mjs scripted-flight.ts '{"path": …}'`
 */

import { plainConsole } from "../../src/metrics/console/plain-console.ts";
import { openJsonl } from "../../src/metrics/files/jsonl.ts";
import type { MetricSink } from "../../src/metrics/metric-sink.ts";
import { tee } from "../../src/metrics/tee.ts";
import { type Request, Steering } from "../../src/running/requests.ts";
import { ControlMailbox } from "../../src/runs/control.ts";
import { openScreen } from "../../src/tui/open-screen.ts";
import { rowOf, startEvent } from "./scripted-run.ts";

const settings = {
  path: "",
  iterations: 300,
  switchAt: 100,
  /** ms */
  every: 50,
  screen: true,
  /** Prints a line of its own at every so many iterations; 0: never. */
  noise: 0,
  /** Breaks what `l` shows. */
  brokenLog: false,
  /** Throws at this iteration. */
  throwAt: -1,
  ...JSON.parse(process.argv[2] ?? "{}"),
};

const steering = new Steering();
const say = (line: string) => process.stderr.write(`${line}\n`);
const sinks: { name: string; sink: MetricSink }[] = [];
if (settings.path) {
  sinks.push({ name: "jsonl", sink: await openJsonl({ folder: settings.path, onFailure: say }) });
  const sink = ControlMailbox.open(settings.path, steering, { onFailure: say });
  sinks.push({ name: "mailbox", sink });
}
if (settings.screen) {
  const plan = { maxIterations: settings.iterations, switchAt: settings.switchAt };
  const sink = openScreen({
    steering,
    plain: plainConsole({
      ...plan,
      start: { iteration: 0, seconds: 0 },
      write: (text) => void process.stdout.write(text),
    }),
    onInterrupt: () => steering.ask("stop", "SIGINT"),
    simulatorLog: () => {
      if (settings.brokenLog) throw new Error("no log today");
      return ["simulator line 1", "simulator line 2 \u001b[31mred\u001b[0m"];
    },
  });
  sinks.push({ name: "screen", sink });
}
const all = tee(sinks, { onFailure: say });
const now = () => Date.now() / 1000;
let phase = 1;
let iteration = 0;

function carryOut(request: Request, paused: boolean): string {
  if (request === "pause" && paused) return "refused: the flight is paused already";
  if (request === "resume" && !paused) return "refused: the flight is not paused";
  if (request === "next-phase") {
    if (phase === 2) return "refused: the student has the controls already";
    handOver();
  }
  if (request === "checkpoint") checkpoint("asked");
  return "done";
}

function handOver(): void {
  phase = 2;
  all.event({ type: "phase-switch", iteration, time: now(), phase, message: "student flies" });
}

function checkpoint(kind: string): void {
  const path = `${settings.path}/${kind === "best" ? "best_model" : `model_${iteration}`}.pt`;
  all.event({ type: "checkpoint", iteration, time: now(), path, kind, message: path });
}

async function obey(): Promise<boolean> {
  let paused = false;
  for (;;) {
    const asked = steering.take();
    if (!asked && !paused) return true;
    if (!asked) {
      // A real flight has a simulator that keeps the process alive.
      const simulator = setInterval(() => {}, 1000);
      await steering.arrival();
      clearInterval(simulator);
      continue;
    }
    const { request, by, answer } = asked;
    const outcome = carryOut(request, paused);
    if (outcome === "done" && request === "pause") paused = true;
    if (outcome === "done" && request === "resume") paused = false;
    const message = `${request} (${by}): ${outcome}`;
    all.event({ type: "request", iteration, time: now(), request, by, outcome, message });
    answer?.(outcome);
    if (request === "stop") return false;
  }
}

all.event({ ...startEvent(settings), time: now() });
while (iteration < settings.iterations && (await obey())) {
  if (iteration === settings.switchAt && phase === 1) handOver();
  await new Promise((resolve) => setTimeout(resolve, settings.every));
  if (iteration === settings.throwAt) throw new Error("thrown on purpose");
  const row = rowOf(iteration, { ...settings, switchAt: phase === 2 ? 0 : 1e9 });
  all.write(iteration, row);
  if (settings.noise && iteration % settings.noise === 0) console.log(`noise ${iteration}`);
  if (iteration % 50 === 0) checkpoint("periodic");
  if (iteration > 20 && iteration % 60 === 0) checkpoint("best");
  iteration += 1;
}
if (iteration === settings.iterations) {
  const summary = { student_return: 123, teacher_return: 125, episodes: 200 };
  all.event({ type: "landed", iteration: iteration - 1, time: now(), summary, message: "landed" });
}
await all.close();
