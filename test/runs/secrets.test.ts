import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readClientCurve } from "../../sim-adapters/curve-keys.ts";
import { makeKeys } from "../../sim-adapters/make-keys.ts";
import { createRun } from "../../src/runs/create-run.ts";
import { refuseLinks } from "../../src/runs/refuse-links.ts";
import { SimulatorLog } from "../../src/training/simulator-log.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "firstsolo-secrets-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const run = { log_root: "", experiment_name: "e", run_name: "" };
const created = (codeFolder = root) =>
  createRun({ ...run, log_root: join(root, "logs") }, { agentYaml: "seed: 1\n", codeFolder });

describe("the record of the code", () => {
  it("leaves out files that look like secrets, by name or by what is in them, and says so", async () => {
    const code = join(root, "robot");
    mkdirSync(code);
    const git = (...args: string[]) =>
      execFileSync("git", ["-C", code, "-c", "user.name=a", "-c", "user.email=a@b", ...args]);
    const put = (name: string, text: string) => {
      mkdirSync(dirname(join(code, name)), { recursive: true });
      writeFileSync(join(code, name), text);
    };
    const secret = "hush-hush-hush-hush";
    const secrets: Readonly<Record<string, string>> = {
      ".env": secret,
      "conf/prod.env": secret,
      "sim.key_secret": secret,
      "deploy/id_ed25519": secret,
      "my credentials.txt": secret,
      "train.py": `wandb_api_key = "${secret}"`,
      "notes.txt": `-----BEGIN OPENSSH PRIVATE KEY-----\n${secret}`,
    };
    const harmless = { "gains.txt": "2", "tokenizer.py": "2", "keyboard.py": "2" };
    git("init", "-q");
    for (const name of Object.keys({ ...secrets, ...harmless })) put(name, "1\n");
    git("add", ".");
    git("commit", "-qm", "one");
    for (const [name, text] of Object.entries({ ...secrets, ...harmless })) put(name, `${text}\n`);
    const { path } = await created(code);
    const text = readFileSync(join(path, "git/robot.diff"), "utf8");
    expect(text).not.toContain(secret);
    for (const name of Object.keys(harmless)) expect(text).toContain(`+++ b/${name}`);
    const said = /^left out: they look like secrets: (.*)$/m.exec(text)?.[1] ?? "";
    expect(said.split(", ").sort()).toEqual(Object.keys(secrets).sort());
  });
});

describe("a run folder", () => {
  it("is its owner's alone, with all that is written into it", async () => {
    const folder = await created();
    await folder.saveCheckpoint("model_1.pt", Uint8Array.of(1));
    expect(statSync(folder.path).mode & 0o777).toBe(0o700);
    for (const name of ["run.json", "params/agent.yaml", "model_1.pt"]) {
      expect(statSync(join(folder.path, name)).mode & 0o777).toBe(0o600);
    }
  });
});

describe("a run folder of somebody else's", () => {
  it.each(["metrics.jsonl", "sim.log", "params", "control", "wandb", "wandb/offline-run-1-abc"])(
    "is not gone on with where it leads elsewhere: %s",
    async (name) => {
      const { path } = await created();
      refuseLinks(path);
      rmSync(join(path, name), { recursive: true, force: true });
      mkdirSync(dirname(join(path, name)), { recursive: true });
      symlinkSync(root, join(path, name));
      const refused = { code: "link", message: expect.stringContaining(join(path, name)) };
      expect(() => refuseLinks(path)).toThrow(expect.objectContaining(refused));
    },
  );

  it("goes on where its W&B run lies under WANDB_DIR, and nowhere else", async () => {
    const name = "offline-run-20260101_101010-abc123";
    const { path } = await created();
    mkdirSync(join(path, "wandb"), { recursive: true });
    const link = join(path, "wandb", name);
    for (const [place, fine] of [
      [join(root, "elsewhere/wandb", name), true],
      [join(root, "elsewhere/wandb/another"), false],
      [join(root, "elsewhere/other", name), false],
      ["/etc", false],
      [join(root, "gone/wandb", name), false],
    ] as const) {
      if (place.startsWith(join(root, "elsewhere"))) mkdirSync(place, { recursive: true });
      rmSync(link, { force: true });
      symlinkSync(place, link);
      if (fine) refuseLinks(path);
      else expect(() => refuseLinks(path)).toThrow(expect.objectContaining({ code: "link" }));
    }
  });

  it("has no log that is written through a link", async () => {
    const [victim, link] = [join(root, "victim"), join(root, "sim.log")];
    writeFileSync(victim, "theirs");
    symlinkSync(victim, link);
    const log = new SimulatorLog();
    log.to(link);
    log.add("a line");
    log.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(readFileSync(victim, "utf8")).toBe("theirs");
  });
});

describe("keys that are made", () => {
  it("are read as a pair, and the secret one is its owner's alone", async () => {
    const [sim, runner] = [await makeKeys(root, "sim"), await makeKeys(root, "runner")];
    const curve = await readClientCurve(sim.publicFile, runner.secretFile);
    expect(Object.values(curve).map((key) => key.length)).toEqual([40, 40, 40]);
    expect(statSync(sim.secretFile).mode & 0o777).toBe(0o600);
    expect(readFileSync(sim.publicFile, "utf8")).not.toContain("secret-key");
  });

  it("never take the place of others, nor have names that lead elsewhere", async () => {
    const { secretFile } = await makeKeys(root, "sim");
    const before = readFileSync(secretFile, "utf8");
    for (const name of ["sim", "../sim", "", ".key"]) {
      await expect(makeKeys(root, name)).rejects.toMatchObject({ code: "bad-key-file" });
    }
    expect(readFileSync(secretFile, "utf8")).toBe(before);
  });
});
