import { execFile, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { compiledProgram } from "../compiled.ts";
import { atEnd, socketFile } from "../remote/servers.ts";

const program = compiledProgram();
const compiled = (path: string) =>
  JSON.stringify(pathToFileURL(join(program, "../../../dist", path)).href);

/** Flies the built-in simulator as a run does, and hurts it with `signal` in the middle. */
const flight = (signal: string, more = "") => `
const { openSimulator } = await import(${compiled("src/training/open-simulator.js")});
const { resolveConfig } = await import(${compiled("src/config/resolve.js")});
const overrides = ["num_envs=4", "sim.step_timeout=3"];
const { config } = resolveConfig({ overrides });
const lines = [];
const say = (line) => lines.push(line);
const options = { version: "0", signal: new AbortController().signal, onNotice: say, onWaiting: () => {}, revive: true };
const simulator = await openSimulator(config, options);
const { env } = simulator;
const pid = () => Number(/process (\\d+)/.exec(simulator.description)[1]);
await env.reset(1);
const push = () => new Float32Array(16);
await env.step(push());
const first = pid();
process.kill(first, "${signal}");
const outcome = [];
for (let i = 0; i < 200 && outcome.length === 0; i++) {
  await env.step(push()).catch((error) => outcome.push(error.name, error.message));
}
await env.step(push());
${more}
await simulator.close();
let alive = true;
try { process.kill(first, 0); } catch { alive = false; }
console.log(JSON.stringify({ outcome, lines, alive }));
process.exit(0);
`;

async function fly(signal: string) {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "-e", flight(signal)],
    { timeout: 50_000 },
  );
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as {
    outcome: string[];
    lines: string[];
    alive: boolean;
  };
}

describe("the simulator of our own", () => {
  it.each([
    ["SIGKILL", "ended with SIGKILL"],
    ["SIGTERM", "told to end by somebody else, and did"],
    ["SIGSTOP", "no reply to step for 3 s"],
  ])("hurt by %s is started again, and people are told in words", async (signal, words) => {
    const { outcome, lines, alive } = await fly(signal);
    expect(outcome[0]).toBe("EnvRevived");
    expect(`${outcome[1]} ${lines.join("\n")}`).toMatch(
      signal === "SIGTERM" ? /told to end by somebody else|asked to end, and does/ : words,
    );
    expect(lines.join("\n")).toContain("starting it again, try 1 of 5");
    expect(outcome.join()).not.toContain("Send reset first");
    expect(alive).toBe(false);
  });
});

it.runIf(process.platform === "linux")("SIGUSR1 opens no debugger, of no command", async () => {
  const child = spawn(process.execPath, [
    program,
    "sim",
    "--num_envs",
    "2",
    "--bind",
    socketFile(),
  ]);
  atEnd(() => {
    child.kill("SIGKILL");
  });
  await new Promise((resolve) => createInterface({ input: child.stdout }).once("line", resolve));
  let said = "";
  child.stderr.on("data", (data: Buffer) => {
    said += data;
  });
  child.kill("SIGUSR1");
  await sleep(700);
  expect(child.exitCode).toBe(null);
  expect(said).not.toMatch(/Debugger listening/);
  const listening = readFileSync(`/proc/${child.pid}/net/tcp`, "utf8").split("\n");
  const debuggers = listening.filter((line) => /:240D [0-9A-F:]+ 0A/.test(line));
  expect(debuggers).toEqual([]);
});
