import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLapo } from "../../../src/algorithms/lapo/learner.ts";
import { type EncoderOwner, lapoSettings } from "../../../src/algorithms/lapo/settings.ts";
import { startEngine } from "../../../src/engine/start.ts";
import { checkOwners } from "../../../src/learning/check-owners.ts";
import { FlowMeter } from "../../../src/learning/flow-meter.ts";
import { flowError, flowTable, judgeFlow } from "../../../src/learning/gradient-flow.ts";
import { synthesise, trainHere } from "../offline/offline-run.ts";
import { flights, parametersOf, site, stage } from "../offline-laws.ts";

beforeAll(() => startEngine("auto"));

const small = {
  ...{ actor_hidden_dims: [12], critic_hidden_dims: [12], vae_hidden_dims: [12] },
  ...{ encoder_hidden_dims: [12], encoder_dim: 8 },
};
const make = (encoder_owner: EncoderOwner) =>
  createLapo(lapoSettings.parse({ ...small, encoder_owner }), site);

async function measured(owner: EncoderOwner) {
  const learner = make(owner);
  const before = await parametersOf(learner);
  const meter = new FlowMeter(learner.groups);
  await learner.update(flights(3, 16), stage, meter);
  const report = judgeFlow(await meter.rows(), learner.groups, learner.updates);
  const after = await parametersOf(learner);
  learner.dispose();
  const changed = Object.keys(after).filter((name) => `${after[name]}` !== `${before[name]}`);
  const at = (update: string, group: string) => {
    const { claim, flow, verdict, change } = report.entries.find(
      (entry) => entry.update === update && entry.group === group,
    )!;
    return `${claim}, ${flow}, ${change === 0 ? "still" : "moves"}: ${verdict}`;
  };
  const encoder = ["critic", "vae", "actor"].map((update) => at(update, "encoder"));
  const moved = [...new Set(changed.map((name) => name.split("/")[1]!))];
  return { report, encoder, at, moved };
}

const untouched = "zero, none, still: ok";

describe("the encoder of LAPO", () => {
  const owners = [
    ["critic", ["step, flows, moves: ok", untouched, untouched], ["encoder", "encoder_target"]],
    ["vae", ["pass, flows, still: orphan", "step, flows, moves: ok", untouched], ["encoder"]],
    ["both", ["step, flows, moves: ok", "step, flows, moves: ok", untouched], ["encoder"]],
    ["none", [untouched, untouched, untouched], []],
  ] as const;
  it.each(owners)(
    "owned by %s is reached and moved by whom the table says",
    async (owner, wanted, moves) => {
      const { report, encoder, at, moved } = await measured(owner);
      expect(encoder).toEqual(wanted);
      expect(moved.includes("encoder")).toBe(moves.length > 0);
      expect(moved.includes("encoder_target")).toBe(moves.length > 0);
      expect(moved).toEqual(expect.arrayContaining(["critic", "vae", "actor", "vae_target"]));
      const faults = owner === "vae" ? 1 : 0;
      expect(flowTable(report).match(/leak|orphan|starved/g) ?? []).toHaveLength(faults);
      // Through the critic and the slow decoder, to the actor alone.
      expect(["critic", "vae_target", "vae", "actor"].map((group) => at("actor", group))).toEqual([
        ...["pass, flows, still: ok", "pass, flows, still: ok"],
        ...[untouched, "step, flows, moves: ok"],
      ]);
    },
  );

  it("owned by the VAE is named before the first step, and by what is measured", async () => {
    const learner = make("vae");
    expect(() => checkOwners(learner)).toThrow(
      /^orphan: the gradient of the update 'critic' is there to move the group 'encoder', and 'critic' does not step it; its owner 'vae' steps it on 'vae' alone/,
    );
    const told: string[] = [];
    checkOwners(learner, ["offline"], { onOrphan: ({ message }) => told.push(message) });
    expect(told).toHaveLength(1);
    learner.dispose();
    const { report } = await measured("vae");
    expect(flowError(report)?.message).toMatch(
      /orphan: a gradient of norm [\d.e-]+ arrives and nobody steps: it belongs to 'vae' \(update 'critic', group 'encoder'\)\.$/,
    );
  });

  it.each(["critic", "both", "none"] as const)("owned by %s is no fault", (owner) => {
    const learner = make(owner);
    expect(() => checkOwners(learner)).not.toThrow();
    learner.dispose();
  });
});

describe("a run whose encoder belongs to the VAE", () => {
  const work = mkdtempSync(join(tmpdir(), "firstsolo-lapo-"));
  const data = join(work, "flights.hdf5");
  beforeAll(() => synthesise(data, { episodes: 4, actionStd: 0.5 }));
  afterAll(() => rmSync(work, { recursive: true, force: true }));
  const tiny = [
    ...["algorithm.class_name=lapo", `dataset=${data}`, "algorithm.batch_size=16"],
    ...["updates_per_iteration=3", "max_iterations=2", "algorithm.encoder_owner=vae"],
    ...Object.entries(small).map(([name, value]) => `algorithm.${name}=${JSON.stringify(value)}`),
  ];
  const train = (...more: string[]) => trainHere(join(work, "logs"), [...tiny, ...more]);

  it("does not begin, and with --allow_orphans flies on and says so", async () => {
    await expect(train()).rejects.toMatchObject({
      code: "orphan",
      hint: expect.stringMatching(/--allow_orphans/),
    });
    const { exitCode, rows, run, events } = await train("checks.allow_orphans=true");
    expect([exitCode, rows.length]).toEqual([0, 2]);
    const flow = JSON.parse(readFileSync(join(run, "gradient_flow.json"), "utf8"));
    const wrong = flow.entries.filter(({ verdict }: { verdict: string }) => verdict !== "ok");
    expect([flow.passed, wrong.length]).toEqual([false, 1]);
    expect(wrong[0]).toMatchObject({ update: "critic", group: "encoder", verdict: "orphan" });
    const told = events.find(({ type }) => type === "gradient-flow")!;
    expect(told.message).toMatch(/^orphan: .* \(critic, encoder\)$/);
  });
});
