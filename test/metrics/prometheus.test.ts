import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, expect, it } from "vitest";
import { openPrometheus } from "../../src/metrics/prometheus/prometheus.ts";
import { metricsTools, runProgram, type Tools } from "./python.ts";

let tools: Tools;
const open: { close(): Promise<void> }[] = [];
const said: string[] = [];

beforeAll(async () => {
  tools = await metricsTools();
});

afterEach(async () => {
  said.length = 0;
  for (const sink of open.splice(0)) await sink.close();
});

async function page(labels: Record<string, string> = { run: "r", task: "t" }, port = 0) {
  const sink = await openPrometheus({ port, labels, say: (line) => said.push(line) });
  open.push(sink);
  return sink;
}

interface Sample {
  readonly labels: Record<string, string>;
  readonly value: string;
  readonly help: string;
  readonly type: string;
}

const script = join(dirname(fileURLToPath(import.meta.url)), "read_page.py");

/** What Prometheus' own parser finds at an address. */
async function scrape(url: string): Promise<Record<string, Sample>> {
  const { code, stdout, stderr } = await runProgram(tools.python, [script, url]);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

it("shows the last value of every figure, the phase and the iteration to Prometheus' own parser", async () => {
  const labels = { run: '2026 "quoted" \\ back\nslash', task: "quadcopter-noisy" };
  const { url, write } = await page(labels);
  write(3, { "Loss/behavior": 0.5, "Train/mean_reward": 12 });
  write(4, { "Loss/behavior": 1 / 3, "Distillation/training_phase": 2 });
  const samples = await scrape(url!);
  const value = (name: string) => Number(samples[name]!.value);
  expect(value("firstsolo_up")).toBe(1);
  expect(value("firstsolo_iteration")).toBe(4);
  expect(value("firstsolo_phase")).toBe(2);
  expect(value("firstsolo_loss_behavior")).toBe(1 / 3);
  expect(value("firstsolo_train_mean_reward")).toBe(12);
  expect(Date.now() / 1000 - value("firstsolo_written_timestamp_seconds")).toBeLessThan(60);
  for (const sample of Object.values(samples)) {
    expect(sample.labels).toEqual(labels);
    expect(sample.type).toBe("gauge");
    expect(sample.help).not.toBe("");
  }
  expect(samples.firstsolo_loss_behavior!.help).toBe("Loss/behavior");
});

it("writes what is no finite number as Prometheus reads it", async () => {
  const { url, write } = await page();
  write(0, { "A/nan": Number.NaN, "A/inf": Number.POSITIVE_INFINITY, "A/low": -Infinity });
  const samples = await scrape(url!);
  expect(samples.firstsolo_a_nan!.value).toBe("nan");
  expect(samples.firstsolo_a_inf!.value).toBe("inf");
  expect(samples.firstsolo_a_low!.value).toBe("-inf");
});

it("keeps figures apart whose names Prometheus can't tell apart, and its own", async () => {
  const { url, write } = await page();
  write(7, { "Perf/x time": 1, "Perf/x_time": 2, "PERF/X/TIME": 3, up: 4, "späte\nZeile": 5 });
  const samples = await scrape(url!);
  const figures = ["firstsolo_perf_x_time", "firstsolo_perf_x_time_2", "firstsolo_perf_x_time_3"];
  expect(figures.map((name) => [samples[name]!.help, samples[name]!.value])).toEqual([
    ["Perf/x time", "1"],
    ["Perf/x_time", "2"],
    ["PERF/X/TIME", "3"],
  ]);
  expect(samples.firstsolo_up!.value).toBe("1");
  expect(samples.firstsolo_up_2!.value).toBe("4");
  expect(samples.firstsolo_sp_te_zeile!.help).toBe("späte\nZeile");
});

it("answers as format 0.0.4 on loopback, before the first row too, and nothing elsewhere", async () => {
  const { url } = await page();
  const address = new URL(url!);
  expect([address.hostname, address.pathname]).toEqual(["127.0.0.1", "/metrics"]);
  const answer = await fetch(url!);
  expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(await answer.text()).toMatch(/^# HELP firstsolo_up .+\n# TYPE firstsolo_up gauge\n/);
  expect((await fetch(`${url}?x=1`)).status).toBe(200);
  expect((await fetch(new URL("/", url))).status).toBe(404);
  expect((await fetch(url!, { method: "POST", body: "x" })).status).toBe(405);
  expect(await (await fetch(url!, { method: "HEAD" })).text()).toBe("");
});

it("is not brought down by a request that makes no sense", async () => {
  const { url } = await page();
  const { port } = new URL(url!);
  for (const bytes of ["GET // HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "\0\0\r\n\r\n"]) {
    const socket = connect(Number(port), "127.0.0.1");
    socket.end(bytes).resume();
    await new Promise((resolve) => socket.once("close", resolve));
  }
  expect((await fetch(url!)).status).toBe(200);
});

it("says once that a port is taken, and takes rows as if nothing were", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => taken.once("listening", resolve));
  const { port } = taken.address() as AddressInfo;
  const { url, write, close } = await page({}, port);
  expect(url).toBeUndefined();
  for (let i = 0; i < 5; i++) write(i, { a: i });
  await close();
  expect(said).toEqual([
    `Prometheus page: port ${port} is taken; name another: --metrics_port; nothing more goes there, the run goes on`,
  ]);
  taken.close();
});

it("doesn't grow without end with names that are always new", async () => {
  const { url, write } = await page();
  for (let i = 0; i < 300; i++) {
    write(i, Object.fromEntries(Array.from({ length: 10 }, (_, k) => [`sim/${i}_${k}`, i])));
  }
  write(300, { "sim/0_0": 77 });
  const text = await (await fetch(url!)).text();
  expect(text.match(/^# TYPE firstsolo_sim/gm)).toHaveLength(2000);
  expect(text).toContain('firstsolo_sim_0_0{run="r",task="t"} 77\n');
  expect(said.filter((line) => line.includes("no more than 2000"))).toHaveLength(1);
});

it("gives its port back when the run ends", async () => {
  const { url, close } = await page();
  await fetch(url!);
  await close();
  await expect(fetch(url!)).rejects.toThrow();
});
