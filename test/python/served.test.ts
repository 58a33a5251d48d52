import { execFile, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { Dealer } from "zeromq";
import { decodeReply, encodeRequest } from "../../protocol/messages.ts";
import { pythonEnv } from "../python-env.ts";
import { atEnd, connect, socketFile } from "../remote/servers.ts";

const root = join(import.meta.dirname, "../..");
const packageFolder = join(root, "sim-adapters/python/firstsolo_sim");

/** A simulator of few lines, as people write them; `more` may change its spec `S` and what a step gives, `r`. */
const program = (more: string) => `
import sys, numpy as np
from firstsolo_sim import serve
N = 4
S = {"task": "mine", "num_envs": N, "control_period": 0.02, "max_episode_steps": 10, "autoreset": "same_step",
     "observations": {"policy": {"dtype": "<f4", "shape": [3]}},
     "action": {"dtype": "<f4", "shape": [2], "low": [-1.0] * 2, "high": [1.0] * 2}, "capabilities": []}
class Env:
    spec, settings, notices, seeds = S, {}, [], []
    def obs(self): return {"obs/policy": np.zeros((N, 3), "f4")}
    def reset(self, seed): self.seeds.append(seed); return self.obs()
    def step(self, actions):
        r = {"reward": np.zeros(N), "terminated": np.zeros(N, bool), "truncated": np.zeros(N, bool), **self.obs()}
        self.more(r)
        return r
    def more(self, r): pass
${more}
serve(Env(), bind=sys.argv[1])
`;

async function served(more: string) {
  const endpoint = socketFile();
  const child = spawn(await pythonEnv(), ["-u", "-c", program(more), endpoint], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  atEnd(() => {
    child.kill("SIGKILL");
  });
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => lines.push(line));
  return { endpoint, lines };
}

const push = () => new Float32Array(8);

describe("a simulator served from Python", () => {
  it("says on stderr that it serves, and whom", async () => {
    const { endpoint, lines } = await served("");
    await connect({ endpoint, client: { name: "\u001b[31mme", version: "1" } });
    await expect
      .poll(() => lines)
      .toEqual([`sim: serving at ${endpoint}`, "sim: driven by \\x1b[31mme"]);
  });

  it("may give arrays in its log: they are averaged, and what is no number is left out and named", async () => {
    const { endpoint, lines } = await served(`
class Tensor:
    """As torch's: no numbers until it is detached and brought to the processor."""
    def __init__(self, *values): self.values = values
    def detach(self): return self
    def cpu(self): return np.array(self.values)
def more(self, r):
    r["log"] = {"tensor": Tensor(1.0, 2.0), "array": np.arange(5), "scalar": np.float32(0.5), "plain": 7,
                "text": "gold", "nothing": None, "empty": [], "nan": np.array([1.0, np.nan])}
Env.more = more`);
    const env = await connect({ endpoint });
    await env.reset(0);
    for (let i = 0; i < 3; i++) {
      const { log } = await env.step(push());
      expect(log).toEqual({ tensor: 1.5, array: 2, scalar: 0.5, plain: 7 });
    }
    const told = () => lines.filter((line) => line.includes("left out"));
    await expect.poll(told).toHaveLength(2);
    expect(told().join()).toMatch(/text in log.*empty in log/);
  });

  it("may write its specification with NumPy's numbers, and one bound for all components", async () => {
    const { endpoint } = await served(`
S.update(num_envs=np.int64(N), control_period=np.float32(0.25), max_episode_steps=np.int32(10),
         capabilities=("bitwise",), observations={"policy": {"dtype": np.dtype("<f4"), "shape": (np.int64(3),)}},
         action={"dtype": "<f4", "shape": np.array([2]), "low": np.float64(-1), "high": np.array([1, 2])})
Env.settings = {"mass": np.float64(0.5), "start": np.arange(3)}`);
    const env = await connect({ endpoint });
    expect(env.spec).toMatchObject({
      numEnvs: 4,
      controlPeriod: 0.25,
      action: { low: [-1, -1], high: [1, 2] },
      capabilities: ["bitwise"],
    });
    expect(env.welcome.settings).toEqual({ mass: 0.5, start: [0, 1, 2] });
    await env.reset(0);
    await env.step(push());
  });

  it.each([
    ["snapshots", "is 'snapshot' meant"],
    ["bit-wise", "is 'bitwise' meant"],
    ["teacher_action", "is 'teacher_actions' meant"],
    ["snapshot", "has no snapshot and no restore"],
  ])("is refused the capability %s", async (word, message) => {
    const { endpoint } = await served(`S["capabilities"] = ["${word}"]`);
    await expect(connect({ endpoint })).rejects.toMatchObject({
      code: "invalid-spec",
      message: expect.stringContaining(message),
    });
  });

  it("may have capabilities of its own", async () => {
    const { endpoint } = await served(`S["capabilities"] = ["camera"]`);
    expect((await connect({ endpoint })).spec.capabilities).toEqual(["camera"]);
  });

  it("gets seeds below 2^31, whoever drives it", async () => {
    const { endpoint } = await served(`
def reset(self, seed):
    assert seed < 2**31
    return self.obs()
Env.reset = reset`);
    const env = await connect({ endpoint });
    await env.reset(2 ** 32 - 1);
  });

  it("may compile for longer than a step's budget at its first step", async () => {
    const { endpoint } = await served(`
def more(self, r):
    import time
    if not self.spec.setdefault("warm", False): time.sleep(4)
    self.spec["warm"] = True
Env.more = more`);
    const lines: string[] = [];
    const env = await connect({ endpoint, stepTimeout: 2, onWaiting: (line) => lines.push(line) });
    await env.reset(0);
    await env.step(push());
    expect(lines.join()).toContain("it is stepping (");
  });

  it("answers others while it steps, and takes the socket back for the next step", async () => {
    const { endpoint } = await served(`
def more(self, r):
    import time
    self.spec["steps"] = self.spec.get("steps", -1) + 1
    time.sleep([0.8, 0.04, 0.05, 0.06, 0, 0.05, 0.1, 0][self.spec["steps"] % 8])
Env.more = more`);
    const env = await connect({ endpoint });
    await env.reset(0);
    const other = new Dealer({ linger: 0, receiveTimeout: 10_000 });
    atEnd(() => other.close());
    other.connect(endpoint);
    let stepped = false;
    const step = env.step(push()).then(() => {
      stepped = true;
    });
    await other.send(encodeRequest({ type: "ping", seq: 7 }));
    expect(decodeReply(await other.receive()).header).toMatchObject({ type: "pong", seq: 7 });
    expect(stepped).toBe(false);
    await step;
    for (let i = 1; i < 8; i++) {
      if (i % 3 === 0) await other.send(encodeRequest({ type: "ping", seq: i }));
      await env.step(push());
      if (i % 3 === 0) expect(decodeReply(await other.receive()).header.seq).toBe(i);
    }
  });

  it("is lost at a later step that long, and the message names the setting", async () => {
    const { endpoint } = await served(`
def more(self, r):
    import time
    self.spec["steps"] = self.spec.get("steps", 0) + 1
    if self.spec["steps"] == 2: time.sleep(20)
Env.more = more`);
    const env = await connect({ endpoint, stepTimeout: 1 });
    await env.reset(0);
    await env.step(push());
    await expect(env.step(push())).rejects.toMatchObject({
      code: "simulator-lost",
      message: expect.stringContaining("it is stepping"),
      hint: expect.stringContaining("sim.step_timeout"),
    });
  });
});

describe("the Python package", () => {
  it("is written in Python 3.8's syntax", async () => {
    const script = `
import ast, pathlib, sys
for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.py")):
    text = path.read_text()
    ast.parse(text, str(path), feature_version=(3, 8))
    future = "from __future__ import annotations" in text
    assert future or path.name == "__init__.py", f"{path} evaluates its annotations"
print("fine")`;
    const { stdout } = await promisify(execFile)(await pythonEnv(), ["-c", script, packageFolder]);
    expect(stdout.trim()).toBe("fine");
  });

  it("has no import circle, and the check finds one", () => {
    const check = join(root, ".ci/python_circles.py");
    const judge = (folder: string) => spawnSync("python3", [check, folder], { encoding: "utf8" });
    expect(judge(packageFolder)).toMatchObject({ status: 0 });
    const folder = mkdtempSync(join(tmpdir(), "firstsolo-circle-"));
    atEnd(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "__init__.py"), "");
    writeFileSync(join(folder, "a.py"), "def f():\n    from .b import g\n");
    writeFileSync(join(folder, "b.py"), "from . import c\n");
    writeFileSync(join(folder, "c.py"), "from .a import f\n");
    const { status, stderr } = judge(folder);
    expect(status).toBe(1);
    expect(stderr).toMatch(/import circle: .*a -> .*b -> .*c -> .*a/);
  });
});
