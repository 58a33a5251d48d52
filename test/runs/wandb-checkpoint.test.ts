import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { findAgentConfig } from "../../policies/checkpoint/agent-config.ts";
import { findCheckpoint } from "../../src/runs/find-checkpoint.ts";

const root = mkdtempSync(join(tmpdir(), "firstsolo-wandb-"));
const logRoot = join(root, "logs");
const before = { ...process.env };

/** As much of W&B's own API as is asked for, over folders: \`RUNS/entity/project/run\`. */
const module = `
import json, os, shutil
RUNS = os.environ["FAKE_WANDB"]
class File:
    def __init__(self, folder, name): self.folder, self.name = folder, name
    def download(self, root, replace):
        assert replace
        os.makedirs(os.path.dirname(os.path.join(root, self.name)), exist_ok=True)
        shutil.copy(os.path.join(self.folder, self.name), os.path.join(root, self.name))
class Run:
    def __init__(self, folder):
        self.folder = folder
        path = os.path.join(folder, "config")
        self.config = json.load(open(path)) if os.path.exists(path) else {}
    def files(self):
        return [File(self.folder, os.path.relpath(os.path.join(at, name), self.folder))
                for at, _, names in os.walk(self.folder) for name in names]
    def file(self, name): return File(self.folder, name)
class Api:
    def run(self, path):
        folder = os.path.join(RUNS, path)
        if not os.path.isdir(folder): raise ValueError("Could not find run " + path)
        return Run(folder)
print("wandb: a line of its own")
`;

function upload(run: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, "runs", run, name);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, text);
  }
}

beforeAll(() => {
  mkdirSync(join(root, "python"));
  writeFileSync(join(root, "python", "wandb.py"), module);
  process.env.PYTHONPATH = join(root, "python");
  process.env.FAKE_WANDB = join(root, "runs");
  const yaml = "actor: {activation: swish}\n";
  upload("me/hover/abc", { "model_9.pt": "9", "model_100.pt": "100", "params/agent.yaml": yaml });
  upload("me/hover/best", { "best_model.pt": "best", "model_5.pt": "5", "agent.yaml": yaml });
  const config = JSON.stringify({ runner_cfg: { policy: { activation: "tanh" } } });
  upload("me/hover/rsl", { "model_5.pt": "5", config });
  upload("me/hover/empty", { "output.log": "" });
});
afterEach(() => {
  delete process.env.PYTHON;
});
afterAll(() => {
  process.env.PYTHONPATH = before.PYTHONPATH ?? "";
  delete process.env.FAKE_WANDB;
  rmSync(root, { recursive: true, force: true });
});

it.each([
  ["wandb:me/hover/abc", "100", "swish"],
  ["wandb://me/hover/abc/model_9.pt", "9", "swish"],
  ["wandb:me/hover/best", "best", "swish"],
  ["wandb:me/hover/rsl", "5", "tanh"],
])("%s is downloaded, with the configuration that says how it flies", async (text, held, flown) => {
  const path = await findCheckpoint(text, { logRoot });
  expect(path.startsWith(join(logRoot, "wandb_checkpoints", "me", "hover"))).toBe(true);
  expect(readFileSync(path, "utf8")).toBe(held);
  expect((await findAgentConfig(path, "actor"))?.activation).toBe(flown);
});

it.each([
  ["wandb:me/hover", "bad-pattern", /ENTITY\/PROJECT\/RUN/],
  ["wandb:me/../abc", "bad-pattern", /ENTITY\/PROJECT\/RUN/],
  ["wandb:me/hover/none", "no-such-run", /wandb login/],
  ["wandb:me/hover/empty", "no-checkpoint", /RUN\/FILE/],
  ["wandb:me/hover/abc/model_7.pt", "no-checkpoint", /RUN\/FILE/],
])("%s is refused: %s", async (text, code, hint) => {
  const refused = findCheckpoint(text, { logRoot });
  await expect(refused).rejects.toMatchObject({ code, hint: expect.stringMatching(hint) });
});

it("says what is missing where Python or its wandb is", async () => {
  process.env.PYTHON = join(root, "no-python");
  const hint = expect.stringContaining("pip install wandb");
  const refused = findCheckpoint("wandb:me/hover/abc", { logRoot });
  await expect(refused).rejects.toMatchObject({ code: "no-wandb", hint });
});
