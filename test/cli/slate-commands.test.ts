import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { agentLog } from "../../src/cli/agent-log.ts";
import { type AgentOptions, agentRun } from "../../src/cli/agent-settings.ts";
import { keepCell, keptCell } from "../../src/cli/matrix-cells.ts";
import { type Cell, csvOf, markdownOf } from "../../src/cli/matrix-table.ts";
import { rankerWords, wholeWords } from "../../src/cli/ranker-words.ts";
import { slateTask, withUnderscores } from "../../src/cli/slate-task.ts";
import { resolveConfig } from "../../src/config/resolve.ts";

const work = mkdtempSync(join(tmpdir(), "firstsolo-slate-commands-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const typed: AgentOptions = {
  ...{ agent: "td3_bc", env_name: "diffuse_topdown", seed: "0", max_timesteps: "10000" },
  ...{ log_freq: "1000", save_freq: "5000", device: "cpu", belief: "gru" },
};

function configOf(options: Partial<AgentOptions>) {
  const run = agentRun({ ...typed, ...options }, { name: "GeMS", path: "/r/ranker.pt" });
  const data = { name: "dataset", value: "x.hdf5", raw: "x.hdf5", origin: "--dataset" };
  const { config } = resolveConfig({ flags: [...run.settings, data] });
  return { run, config: config as unknown as Readonly<Record<string, never>> };
}

describe("train_agent", () => {
  it("says to train what its users say in steps", () => {
    const { config, run } = configOf({});
    expect(config).toMatchObject({
      ...{ task: "slates-diffuse_topdown", ranker: "/r/ranker.pt", seed: 0, device: "cpu" },
      ...{ updates_per_iteration: 100, max_iterations: 100, save_interval: 50 },
      experiment_name: "diffuse_topdown_GeMS_td3_bc",
    });
    expect([run.name, run.logFrequency]).toEqual(["td3_bc_diffuse_topdown_GeMS_seed0", 1000]);
    expect(configOf({ max_timesteps: "250", log_freq: "70" }).config).toMatchObject({
      ...{ updates_per_iteration: 70, max_iterations: 4 },
    });
  });

  it("gives a step size and a width to all that have one, and says who has none", () => {
    const flags = {
      learning_rate: "1e-3",
      hidden_dim: "64",
      alpha: "1.5",
      normalize_reward: false,
    };
    const { config } = configOf(flags);
    expect(config.algorithm).toMatchObject({
      ...{ actor_learning_rate: 1e-3, critic_learning_rate: 1e-3, alpha: 1.5 },
      ...{ actor_hidden_dims: [64, 64], critic_hidden_dims: [64, 64], normalize_reward: false },
    });
    const cql = configOf({ ...flags, agent: "CQL" });
    expect(cql.config.algorithm).toMatchObject({ critic_hidden_dims: [64, 64, 64] });
    expect(cql.run.idle).toEqual(["--alpha (cql has none)"]);
    expect(configOf({ agent: "bc", normalize_reward: true }).run.idle).toEqual([]);
  });

  it("refuses whom it can't fly, and names who there is", () => {
    expect(() => configOf({ agent: "lapo" })).toThrow(/expected one of bc, td3_bc/);
    expect(() => configOf({ max_timesteps: "0" })).toThrow(/--max_timesteps is "0"/);
    expect(() => configOf({ env_name: "diffuse_top" })).toThrow(/expected one of focused_topdown/);
  });

  it("understands names with underscores and with hyphens", () => {
    const names = ["diffuse-topdown", "slates-diffuse_topdown", "Diffuse_TopDown"].map(slateTask);
    expect(new Set(names)).toEqual(new Set(["slates-diffuse_topdown"]));
    expect(slateTask("focused_mixed")).toBe("slates-focused_mix");
    expect(withUnderscores(["--env-name", "diffuse-mix", "--log-dir=a-b", "-o", "x-y"])).toEqual([
      ...["--env_name", "diffuse-mix", "--log_dir=a-b", "-o", "x-y"],
    ]);
  });

  it("writes a line for every so many updates, and links to where its users look", async () => {
    const folder = join(work, "run_1");
    mkdirSync(folder);
    writeFileSync(join(folder, "model_3.pt"), "x");
    const [logDir, checkpointDir] = [join(work, "logs"), join(work, "checkpoints")];
    const maker = agentLog({ name: "td3_bc_x", logDir, checkpointDir, every: 200 });
    const sink = (await maker.open({ folder, name: "run_1", config: {}, say: () => {} }))!;
    for (let i = 0; i < 4; i += 1) {
      const flight = i === 0 ? { "Eval/student_return": 12 } : {};
      sink.write(i, { "Loss/critic": i / 2, "Train/updates": 100 * (i + 1), ...flight });
    }
    sink.event({ type: "landed", iteration: 3, time: 0, message: "done" });
    await sink.close();
    const log = join(logDir, "td3_bc_x_run_1", "train.log");
    expect(lstatSync(log).isSymbolicLink()).toBe(true);
    expect(readFileSync(log, "utf8").split("\n")).toEqual([
      "# td3_bc_x_run_1",
      "step 200 | Loss/critic 0.5 | Eval/student_return 12",
      "step 400 | Loss/critic 1.5",
      "[landed] done",
      "",
    ]);
    expect(readFileSync(join(checkpointDir, "td3_bc_x_run_1", "final"), "utf8")).toBe("x");
  });
});

describe("a ranker's words", () => {
  it("say whose items it takes; the usual kind goes without saying", () => {
    expect(rankerWords("top_k")).toEqual({ name: "TopK", embeddings: null, label: "TopK" });
    expect(rankerWords("TopK:mf")).toMatchObject({ embeddings: "mf", label: "TopK" });
    expect(rankerWords("TopK:ideal")).toMatchObject({ embeddings: "ideal", label: "TopK-ideal" });
    expect(rankerWords("GeMS:mf").label).toBe("GeMS-mf");
    expect(wholeWords(rankerWords("GeMS"))).toBe("GeMS:scratch");
    expect(wholeWords(rankerWords("wknn"))).toBe("WkNN:mf");
  });

  it.each(["TopK:", "TopK:best", "TopK:mf:mf"])("%s is refused with what there is", (text) => {
    expect(() => rankerWords(text)).toThrow(/ITEMS one of ideal, mf, scratch/);
  });
});

describe("matrix", () => {
  const cell = (agent: string, ranker: string | null, more: Partial<Cell> = {}): Cell => ({
    ...{ env: "diffuse_mix", agent, ranker, seed: 0, meanReturn: 100, ci95: 3, episodes: 200 },
    ...{ largestValue: null, alarm: false, run: null, ...more },
  });

  it("has a row for each agent, a column for each ranker, and the mean over the seeds", () => {
    const cells = [
      cell("random", null, { meanReturn: 33 }),
      ...[90, 110].map((meanReturn, seed) => cell("iql", "GeMS", { meanReturn, seed })),
      cell("iql", "TopK", { alarm: true, largestValue: 9 }),
    ];
    expect(markdownOf(cells)).toBe(
      [
        "| diffuse_mix | – | GeMS | TopK |",
        "| --- | --- | --- | --- |",
        "| random | 33.0 ± 3.0 |  |  |",
        "| iql |  | 100.0 ± 19.6 (2) | 100.0 ± 3.0, 1 alarmed |",
        "",
      ].join("\n"),
    );
    expect(csvOf(cells).split("\n")[4]).toBe("diffuse_mix,iql,TopK,0,100,3,200,9,true,");
  });

  it("keeps what is finished, until something else is asked for", () => {
    const order = {
      env: "diffuse_mix",
      agent: "iql",
      ranker: rankerWords("GeMS"),
      seed: 0,
      episodes: 9,
      args: [],
    };
    const bench = { folder: join(work, "matrix"), program: "", datasetOf: () => "" };
    expect(keptCell(order, bench)).toBeUndefined();
    keepCell(order, cell("iql", "GeMS"), bench);
    expect(keptCell(order, bench)).toEqual(cell("iql", "GeMS"));
    expect(keptCell({ ...order, episodes: 10 }, bench)).toBeUndefined();
  });
});
