import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parseAgentConfig } from "../../policies/checkpoint/agent-config.ts";
import { readCheckpointFile } from "../../policies/checkpoint/checkpoint-file.ts";
import { loadTeacher } from "../../policies/checkpoint/load-teacher.ts";
import { writeRslRlDistillation } from "../../policies/checkpoint/rsl-rl-write.ts";
import { torchDict } from "../../policies/checkpoint/torch-value.ts";
import { startEngine } from "../../src/engine/start.ts";
import { cases, dataFolder, errorOf, teachersFolder } from "./examples.ts";

beforeAll(() => startEngine("auto"));

const teacher = join(teachersFolder, "hover-rsl_rl-5.4.2.pt");
let run = "";

beforeEach(() => {
  run = mkdtempSync(join(tmpdir(), "firstsolo-teacher-"));
});
afterEach(() => rmSync(run, { recursive: true, force: true }));

/** A run's folder with a checkpoint at `path` in it, and its configuration. */
function runWith(yaml: string | undefined, path = "model_9.pt", source = teacher): string {
  const file = join(run, path);
  mkdirSync(dirname(file), { recursive: true });
  copyFileSync(source, file);
  if (yaml !== undefined) {
    mkdirSync(join(run, "params"));
    writeFileSync(join(run, "params", "agent.yaml"), yaml);
  }
  return file;
}

describe("the activation", () => {
  it.each([
    [
      "4 and 5",
      "actor:\n  class_name: MLPModel\n  activation: selu\ncritic:\n  activation: relu\n",
    ],
    ["2 and 3", "seed: 42\npolicy:\n  class_name: ActorCritic\n  activation: selu\n"],
    [
      "Python's tags",
      "clip: !!python/tuple [1, 2]\npolicy: {activation: selu, x: !!python/name:a.b ''}",
    ],
    ["capitals", "policy: {activation: SELU}"],
  ])("comes from the run's params/agent.yaml in the layout of %s", async (_, yaml) => {
    const loaded = await loadTeacher(runWith(yaml));
    expect(loaded).toMatchObject({ activation: "selu", activationFrom: "agent.yaml" });
    expect(loaded.notes.join()).toContain(join(run, "params", "agent.yaml"));
    loaded.policy.dispose();
  });

  it("is found from a subfolder of the run too", async () => {
    const loaded = await loadTeacher(runWith("policy: {activation: mish}", "exported/model.pt"));
    expect(loaded.activation).toBe("mish");
  });

  it("that is named by option wins", async () => {
    const file = runWith("policy: {activation: mish}");
    const loaded = await loadTeacher(file, { activation: "relu" });
    expect(loaded).toMatchObject({ activation: "relu", activationFrom: "option", notes: [] });
  });

  it("is elu where nothing says it, and a note says that", async () => {
    const loaded = await loadTeacher(runWith("seed: 1"));
    expect(loaded).toMatchObject({ activation: "elu", activationFrom: "default" });
    expect(loaded.notes.join()).toContain("elu is assumed");
  });

  it("of a student and of its teacher may differ", () => {
    const yaml =
      "policy: {activation: tanh, teacher_activation: relu}\nteacher: {activation: null}";
    expect(parseAgentConfig(yaml, "student", "x").activation).toBe("tanh");
    expect(parseAgentConfig(yaml, "teacher", "x").activation).toBe("relu");
    const five = "student: {activation: tanh}\nteacher: {activation: relu}";
    expect(parseAgentConfig(five, "teacher", "x").activation).toBe("relu");
  });

  it("that is unknown is refused, wherever it comes from", async () => {
    const file = runWith("policy: {activation: elv}");
    await expect(loadTeacher(file)).rejects.toMatchObject({ code: "unknown-activation" });
    const options = { activation: "elv" };
    await expect(loadTeacher(teacher, options)).rejects.toMatchObject({
      hint: "Did you mean elu?",
    });
  });

  it.each([
    ["is not YAML", "policy: {activation: elu"],
    [
      "unfolds without end",
      `a: &a [x]\n${["b", "c"].map((k) => `${k}: &${k} [${Array(99).fill("*a")}]`).join("\n")}\nd: [${Array(99).fill("*c")}]`,
    ],
    ["is huge", `# ${"x".repeat(2 ** 21)}`],
  ])("is not guessed where the file %s", async (_, yaml) => {
    await expect(loadTeacher(runWith(yaml))).rejects.toMatchObject({ code: "bad-agent-yaml" });
  });
});

describe("two outputs per action", () => {
  const source = join(dataFolder, "v5-ppo-beta.pt");
  const known = cases["v5-ppo-beta"];
  const yaml = (name: string) =>
    `actor:\n  activation: softplus\n  distribution_cfg:\n    class_name: ${name}\n    action_range: [-2.0, 0.5]\n`;

  it("of a Beta distribution fly its mean over the range that agent.yaml gives", async () => {
    const file = runWith(yaml("rsl_rl.modules.distribution:BetaDistribution"), "m.pt", source);
    const { policy, head } = await loadTeacher(file);
    expect(head).toEqual({ kind: "beta", low: -2, high: 0.5 });
    expect(
      await errorOf(policy, known?.networks.actor ?? { inputs: [], outputs: [] }),
    ).toBeLessThan(1e-5);
    policy.dispose();
  });

  it("are taken for mean and noise where nothing is said, and a note says so", async () => {
    const { head, notes, policy } = await loadTeacher(source);
    expect(head).toEqual({ kind: "mean-and-noise" });
    expect(notes.join("; ")).toContain("first half is taken as the mean");
    policy.dispose();
  });
});

describe("a distillation checkpoint", () => {
  const source = join(dataFolder, "v4-distillation-gru.pt");

  it("flies its student, or its teacher when asked", async () => {
    expect(await loadTeacher(source)).toMatchObject({ role: "student" });
    expect(await loadTeacher(source, { role: "teacher" })).toMatchObject({ role: "teacher" });
  });

  it("of our own brings its activation along", async () => {
    const file = await readCheckpointFile(source);
    if (file.kind !== "distillation") throw new Error("unreachable");
    const facts = JSON.stringify({
      student: { activation: "tanh" },
      teacher: { activation: "relu" },
    });
    const infos = torchDict({ firstsolo: torchDict({ facts }) });
    const path = join(run, "model_1.pt");
    writeFileSync(path, writeRslRlDistillation({ ...file, infos }));
    const student = await loadTeacher(path);
    expect(student).toMatchObject({ activation: "tanh", activationFrom: "checkpoint", notes: [] });
    expect(await loadTeacher(path, { role: "teacher" })).toMatchObject({ activation: "relu" });
  });

  it("whose teacher was no network can't fly it", async () => {
    const file = await readCheckpointFile(source);
    if (file.kind !== "distillation") throw new Error("unreachable");
    const path = join(run, "model_1.pt");
    writeFileSync(path, writeRslRlDistillation({ ...file, teacher: { layers: {} } }));
    await loadTeacher(path);
    const attempt = loadTeacher(path, { role: "teacher" });
    await expect(attempt).rejects.toMatchObject({ code: "unknown-role" });
  });

  it("is not a PPO run's", async () => {
    const attempt = loadTeacher(teacher, { role: "student" });
    await expect(attempt).rejects.toMatchObject({ code: "unknown-role" });
  });
});

describe("a path", () => {
  it.each([
    ["that leads nowhere", "nothing.pt", "no-such-file"],
    ["of a folder", ".", "not-a-file"],
    ["of a device", "/dev/zero", "not-a-file"],
    ["below a file", "params.pt/x.pt", "no-such-file"],
  ])("%s is refused with the next move", async (_, path, code) => {
    writeFileSync(join(run, "params.pt"), "x");
    const full = path.startsWith("/") ? path : join(run, path);
    const attempt = loadTeacher(full);
    await expect(attempt).rejects.toMatchObject({ code, message: expect.stringContaining(full) });
  });
});
