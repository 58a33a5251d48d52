import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, expect, it } from "vitest";
import { loadOwnSink } from "../../src/metrics/own-sink.ts";
import { tee } from "../../src/metrics/tee.ts";

const folder = mkdtempSync(join(tmpdir(), "firstsolo-own-"));
const said: string[] = [];
let modules = 0;

afterEach(() => {
  said.length = 0;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A module as a user writes it. */
function module(source: string): string {
  const path = join(folder, `sink-${modules++}.mjs`);
  writeFileSync(path, source);
  return path;
}

const run = { folder, name: "a run", config: { seed: 42 }, say: (line: string) => said.push(line) };

async function open(path: string, options: Record<string, unknown> = {}, name = "openSink") {
  const maker = await loadOwnSink({ module: path, export: name, options });
  const sink = await maker.open(run);
  return sink && tee([{ name: maker.name, sink }], { onFailure: run.say });
}

const event = { type: "checkpoint", iteration: 1, time: 2, message: "saved" };

it("hands a user's function the options and the run, and every row and event", async () => {
  const path = module(`
    import { appendFileSync } from "node:fs";
    import { join } from "node:path";
    export function openSink({ file }, run) {
      const put = (line) => appendFileSync(join(run.folder, file), line + "\\n");
      put(run.name + " " + run.config.seed);
      return {
        write: (iteration, metrics) => put(iteration + " " + metrics["Loss/behavior"]),
        event: (event) => put(event.type),
        close: async () => put("closed"),
      };
    }`);
  const sink = await open(path, { file: "mine.txt" });
  sink!.write(0, { "Loss/behavior": 0.5 });
  sink!.event(event);
  await sink!.close();
  const text = readFileSync(join(folder, "mine.txt"), "utf8");
  expect(text).toBe("a run 42\n0 0.5\ncheckpoint\nclosed\n");
  expect(said).toEqual([]);
});

it("takes a class as well, and a function that needs time", async () => {
  const path = module(`
    export class Counter {
      #rows = 0;
      constructor(options, run) { this.say = run.say; }
      write() { this.#rows += 1; }
      event() {}
      async close() { this.say("rows: " + this.#rows); }
    }
    export const later = async (options, run) => new Counter(options, run);`);
  for (const name of ["Counter", "later"]) {
    const sink = await open(path, {}, name);
    sink!.write(0, {});
    sink!.write(1, {});
    await sink!.close();
  }
  expect(said).toEqual(["rows: 2", "rows: 2"]);
});

it.each([
  ["no-such-module", () => "nowhere.mjs", /There is no sink module \/.*nowhere\.mjs/],
  ["no-such-module", () => folder, /There is no sink module/],
  ["broken-module", () => module("export const ="), /can't be loaded: /],
  ["broken-module", () => module("throw new Error('at home')"), /can't be loaded: at home/],
  ["no-such-export", () => module("export const openSink = 3"), /it exports openSink$/],
  ["no-such-export", () => module("export function opensink() {}"), /it exports opensink$/],
  ["not-a-sink", () => module("export const openSink = () => null"), /lacks write, event, close/],
  ["not-a-sink", () => module("export const openSink = () => ({ write() {} })"), /event, close/],
])("refuses a module that is %s", async (code, path, message) => {
  const refused = await open(path()).catch((error) => error);
  expect(refused).toMatchObject({ code, hint: expect.stringMatching(/\w/) });
  expect(refused.message).toMatch(message);
});

it("goes on without a sink that can't be opened, and says why", async () => {
  const path = module("export function openSink() { throw new Error('no database') }");
  expect(await open(path)).toBeUndefined();
  expect(said).toEqual([
    `sink openSink of ${path}: no database; nothing more goes there, the run goes on`,
  ]);
});

it.each([
  ["at once", "write() { throw new Error('full') }, event() {}, close() {}"],
  ["a moment later", "async write() { throw new Error('full') }, event() {}, close() {}"],
  ["in an event", "write() {}, async event() { throw new Error('full') }, close() {}"],
  ["when closed", "write() {}, event() {}, close() { throw new Error('full') }"],
])("says once that a sink failed %s", async (_when, methods) => {
  const sink = await open(module(`export const openSink = () => ({ ${methods} })`));
  for (let i = 0; i < 3; i++) {
    sink!.write(i, {});
    sink!.event(event);
    await pause(1);
  }
  await sink!.close();
  expect(said).toEqual([
    expect.stringMatching(/: full; nothing more goes there, the run goes on$/),
  ]);
});

it("lets no sink change what the others get", async () => {
  const path = module(`export const openSink = () => ({
    write: (i, metrics) => { metrics.a = 99; }, event: (e) => { e.message = "mine"; }, close() {} })`);
  const sink = await open(path);
  const metrics = { a: 1 };
  sink!.write(0, metrics);
  const told = { ...event };
  sink!.event(told);
  expect([metrics, told]).toEqual([{ a: 1 }, event]);
});
