import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { distillation } from "../../src/algorithms/distillation/algorithm.ts";
import { encodeEvent, encodeRow } from "../../src/metrics/files/jsonl-row.ts";
import type { Metrics } from "../../src/metrics/metric-sink.ts";
import { listRuns } from "../../src/runs/run-list.ts";

const root = mkdtempSync(join(tmpdir(), "firstsolo-list-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Written {
  readonly start?: Readonly<Record<string, unknown>>;
  readonly rows: readonly Metrics[];
  readonly summary?: Readonly<Record<string, unknown>>;
}

function write(name: string, { start, rows, summary }: Written): void {
  const folder = join(root, name);
  mkdirSync(folder, { recursive: true });
  const lines = rows.map((metrics, iteration) => encodeRow({ iteration, time: 1, metrics }));
  writeFileSync(join(folder, "metrics.jsonl"), `${lines.join("\n")}\n`);
  const event = { type: "start", iteration: 0, time: 10, message: "" };
  if (start)
    writeFileSync(join(folder, "events.jsonl"), `${encodeEvent({ ...event, ...start })}\n`);
  if (summary) writeFileSync(join(folder, "summary.json"), JSON.stringify(summary));
}

it("lists runs with task, algorithm, state, and the best and last of their headline", async () => {
  const facts = { algorithm: "distillation", ...distillation.description, task: "mine" };
  const returns = [{}, { "Eval/student_return": 7 }, { "Eval/student_return": 3 }];
  write("mine_distillation/a", {
    start: { ...facts, max_iterations: 3, time: 20 },
    rows: returns,
    summary: { finished: true },
  });
  const headline = [{ metric: "Loss/critic", label: "Loss", scale: "log" }];
  write("cup_bc/b", {
    start: { algorithm: "bc", room: "Cloning", headline, stages: [], max_iterations: 9 },
    rows: [{ "Loss/critic": 2 }, { "Loss/critic": 1 }, { "Loss/critic": Number.NaN }],
  });
  write("old_distillation/c", { rows: [{}], summary: { finished: false } });
  mkdirSync(join(root, "old_distillation/no-run"));
  const listed = await listRuns(root);
  const short = listed.map(({ task, algorithm, state, iterations, of, best, last, metric }) =>
    [task, algorithm, state, `${iterations}/${of}`, best, last, metric].join(" "),
  );
  expect(short).toEqual([
    "old distillation stopped 1/null   Eval/student_return",
    "cup bc broken off 3/9 1 1 Loss/critic",
    "mine distillation finished 3/3 7 3 Eval/student_return",
  ]);
  expect((await listRuns(join(root, "cup_bc"))).map(({ path }) => path)).toEqual([
    join(root, "cup_bc/b"),
  ]);
});

it("says where it looked in vain", async () => {
  await expect(listRuns(join(root, "nowhere"))).rejects.toMatchObject({ code: "no-such-run" });
});
