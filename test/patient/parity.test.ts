import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { closedLoopParity } from "../../src/learning/parity/anaesthesia/closed-loops.ts";
import { trajectoryParity } from "../../src/learning/parity/anaesthesia/trajectories.ts";
import { describeParity, replayFile } from "../../src/learning/parity/run-parity.ts";

const kinds = [trajectoryParity, closedLoopParity];
const read = (name: string) =>
  JSON.parse(readFileSync(`test/data/anaesthesia/${name}.json`, "utf8")) as { cases: unknown[] };

function replay(document: unknown) {
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  return replayFile({ name: "x.json", read: async () => bytes }, kinds);
}

type Place = Record<string, unknown>;

/** What stands at `cases.0.rows.3.t` becomes something else; undefined: it goes away. */
function put(document: object, path: string, value: unknown): void {
  const keys = path.split(".");
  const last = keys.pop()!;
  const place = keys.reduce((inside, key) => inside[key] as Place, document as Place);
  const next = typeof value === "function" ? value(place[last]) : value;
  if (next === undefined) Reflect.deleteProperty(place, last);
  else place[last] = next;
}

/** The file with some things said otherwise. */
function changed(name: string, changes: Readonly<Record<string, unknown>>) {
  const document = read(name);
  // One patient is enough to change.
  if (name === "cases") document.cases.splice(1);
  for (const [path, value] of Object.entries(changes)) put(document, path, value);
  return replay(document);
}

const times = (factor: number) => (value: number) => value * factor;
const plus = (more: number) => (value: number) => value + more;

describe("recorded anaesthesia", () => {
  it("is reproduced: infusions of six patients", async () => {
    const report = await replay(read("cases"));
    expect(describeParity(report)).toMatch(
      /^ok {3}x.json \(anaesthesia_trajectories, 12 cases\): figures off by \d.\de-1\d of 0.000001 at /,
    );
  });

  it("is reproduced: drugs that help each other", async () => {
    const report = await replay(read("responses"));
    expect(report.updates).toHaveLength(5);
    for (const { metrics } of report.updates) expect(metrics!.error).toBeLessThan(1e-12);
  });

  it("is reproduced: closed loops in all three styles, with the package's figures", async () => {
    const report = await replay(read("pid"));
    expect(report).toMatchObject({ passed: true, kind: "anaesthesia_pid" });
    expect(report.updates).toHaveLength(3);
    for (const { metrics } of report.updates) expect(metrics!.error).toBeLessThan(1e-6);
  });

  it.each([
    ["cases", "lbm", "lbm", plus(1e-3)],
    ["cases", "v1_remifentanil", "v1_remifentanil", times(1.001)],
    ["cases", "steady_gain_propofol", "steady_gain_propofol", plus(1e-3)],
    ["cases", "cep at 300 s", "rows.4.cep", times(1 + 3e-6)],
    ["cases", "map at 3600 s", "rows.8.map", plus(1e-3)],
    ["pid", "sum_abs_error", "sum_abs_error", plus(2)],
    ["pid", "ST20", "metrics.ST20", null],
    ["pid", "US", "metrics.US", plus(0.01)],
    ["pid", "MAP at 60 s", "rows.6.2", plus(0.1)],
    ["pid", "remifentanil at 5 s", "rows.3.4", plus(0.01)],
  ])("of %s is compared in every field: %s", async (name, at, path, value) => {
    const report = await changed(name, { [`cases.0.${path}`]: value });
    expect(report).toMatchObject({ passed: false, metrics: { at, update: 1 } });
    expect(report.error).toBeUndefined();
  });

  it.each([
    ["cases", "age", plus(1)],
    ["cases", "male", false],
    ["cases", "segments.0.2", times(1.01)],
    ["cases", "map_base", 91],
    ["cases", "hill", [4.5, 19.3, 1.43, 0, 97.4, 97.4]],
    ["pid", "hill.3", 0],
    ["pid", "patient.weight", plus(1)],
    ["pid", "style", "total"],
    ["pid", "disturbance", [[0, 0, 0], [30, 5, 0]]], // biome-ignore format: points
  ])("of %s is computed from the file's %s", async (name, path, value) => {
    const report = await changed(name, {
      [`cases.0.${path}`]: value,
      "cases.0.metrics": undefined,
    });
    expect(report.error).toBeUndefined();
    expect(report.passed).toBe(false);
  });

  it("takes gains, the base of pressure and the tolerance from the file's own words", async () => {
    const said = (from: string, to: string) => ({
      source: (words: string) => words.replace(from, to),
    });
    const slower = await changed("pid", said("Ti 159.10806", "Ti 160"));
    expect(slower.passed).toBe(false);
    expect(slower.metrics!.error).toBeGreaterThan(1e-3);
    const lower = await changed("cases", said("map_base 90", "map_base 80"));
    expect(lower.metrics!.at).toMatch(/^map at/);
    const strict = await changed("pid", { tolerance: 1e-7 });
    expect(strict).toMatchObject({ passed: false, tolerance: { metrics: 1e-7 } });
  });

  it("may hold a step at another time, and columns in another order", async () => {
    const backwards = (list: unknown[]) => list.toReversed();
    const same = await changed("pid", {
      "cases.1.start_step": 600,
      "cases.1.end_step": 1200,
      "cases.1.disturbance": "step",
      "cases.1.columns": backwards,
      "cases.1.rows": (rows: unknown[][]) => rows.map(backwards),
    });
    expect(same.passed).toBe(true);
    const later = await changed("pid", { "cases.1.end_step": 1201 });
    expect(later).toMatchObject({ passed: false, metrics: { update: 2 } });
  });
});

describe("a document that is not whole", () => {
  it.each([
    ["cases", "age", undefined, /at cases\[0\].age: /],
    ["cases", "male", 2, /at cases\[0\].male: /],
    ["cases", "segments.1", [0, 1], /at cases\[0\].segments\[1\]: /],
    ["cases", "segments.0.2", -1, /at cases\[0\].segments\[0\]\[2\]: /],
    ["cases", "rows.2.spo2", 99, /at cases\[0\].rows\[2\]: 'spo2' is not known; known: cp, /],
    ["cases", "rows.2", { t: 5 }, /rows\[2\]: holds nothing to compare/],
    ["cases", "rows.1.t", 1.5, /at cases\[0\].rows\[1\].t: 1.5 s is no whole number/],
    ["cases", "noise", 3, /at cases\[0\].noise: is a field that is not known/],
    ["cases", "age", 150, /propofol has the volumes .* of 150 years/],
    ["pid", "style", "recovery", /at cases\[0\].style: .*"induction"/],
    ["pid", "metrics.XX", 1, /at cases\[0\].metrics: 'XX' is not known of induction/],
    ["pid", "rows.3", [5, 97], /at cases\[0\].rows\[3\]: has 2 numbers for 5 columns/],
    ["pid", "columns.2", "CO", /at cases\[0\].columns\[2\]: 'CO' is not one of/],
    ["pid", "hill", [1, 2], /at cases\[0\].hill: /],
  ])("is refused by name: %s %s", async (name, path, value, words) => {
    const report = await changed(name, { [`cases.0.${path}`]: value });
    expect(report).toMatchObject({ passed: false, updates: [] });
    expect(report.error).toMatch(words);
  });

  it("as maintenance without its first row is", async () => {
    const report = await changed("pid", { "cases.1.rows": (rows: unknown[]) => rows.slice(1) });
    expect(report.error).toMatch(/at cases\[1\].rows: none is at t = 0/);
  });

  it("or is of no known kind is refused by what it holds", async () => {
    const other = await replay({ searches: [], tolerance: 1 });
    expect(other.error).toMatch(/x.json is a JSON document of searches, tolerance; /);
    expect((await replay({ cases: [{}] })).error).toMatch(/is a JSON document of cases/);
  });
});
