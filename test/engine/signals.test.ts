import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { beforeAll, expect, it } from "vitest";
import { startEngine } from "../../src/engine/start.ts";

type Signal = "SIGTERM" | "SIGINT" | "SIGWINCH" | "SIGCHLD" | "SIGPROF" | "SIGSEGV" | "SIGFPE";

function isBlocked(signal: Signal, status: string): boolean {
  const mask = BigInt(`0x${/^SigBlk:\s*([0-9a-f]+)$/m.exec(status)![1]}`);
  return ((mask >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n;
}

const statusOf = (thread: string | number) =>
  readFileSync(`/proc/self/task/${thread}/status`, "utf8");
const fromOutside: readonly Signal[] = ["SIGTERM", "SIGINT", "SIGWINCH", "SIGCHLD", "SIGPROF"];

// oneDNN multiplies with its stack pointer in the heap: a handler's frame would be written over it.
beforeAll(() => startEngine("cpu", { threads: 1 }), 60_000);

it("nothing from outside is handled in the thread that computes, and faults are", () => {
  const status = statusOf(process.pid);
  expect(fromOutside.filter((signal) => !isBlocked(signal, status))).toEqual([]);
  expect(isBlocked("SIGSEGV", status) || isBlocked("SIGFPE", status)).toBe(false);
});

it("nor in TensorFlow's own threads", () => {
  const threads = readdirSync("/proc/self/task").map(statusOf);
  const computing = threads.filter((status) => /^Name:\s*tf_/m.test(status));
  expect(computing.length).toBeGreaterThan(0);
  expect(computing.filter((status) => !isBlocked("SIGWINCH", status))).toEqual([]);
});

it("who listens hears them all the same", async () => {
  const heard = once(process, "SIGWINCH", { signal: AbortSignal.timeout(10_000) });
  process.kill(process.pid, "SIGWINCH");
  await heard;
});

it("and a process started here has nothing blocked", () => {
  const status = execFileSync("cat", ["/proc/self/status"], { encoding: "utf8" });
  expect(/^SigBlk:\s*(\S+)$/m.exec(status)![1]).toMatch(/^0+$/);
});
