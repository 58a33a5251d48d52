import { describe, expect, it } from "vitest";
import type { Frame } from "../../protocol/frame.ts";
import { conform, laws } from "../../sim-adapters/conform/conform.ts";
import { openMujoco } from "../../sim-adapters/mujoco/open-mujoco.ts";
import { PointMass } from "../remote/point-mass.ts";
import { nodeServer, proxy, pythonServer, socketFile } from "../remote/servers.ts";
import { type Sabotage, SabotagedMass, shifted, stillOld } from "./sabotaged-mass.ts";
import { retold, type Said, steppingTwice, tampered } from "./tamper.ts";

const brokenAt = async (endpoint: string, only?: readonly string[]) =>
  (await conform({ endpoint, startupTimeout: 20, patience: 2, ...(only ? { only } : {}) })).filter(
    ({ verdict }) => verdict === "broken",
  );
const namesOf = (findings: readonly { law: string }[]) => findings.map(({ law }) => law);

/** A mass whose teacher pushes it home. */
class TaughtMass extends PointMass {
  override readonly spec;

  constructor(asked: ConstructorParameters<typeof PointMass>[0]) {
    super(asked);
    const { spec } = new PointMass(asked);
    this.spec = { ...spec, capabilities: [...spec.capabilities, "teacher_actions"] };
  }

  override async reset(seed: number) {
    return home(await super.reset(seed));
  }

  override async step(actions: Float32Array) {
    const result = await super.step(actions);
    return { ...result, frame: home(result.frame) };
  }

  override async restore(state: Uint8Array) {
    return home(await super.restore(state));
  }
}

function home(frame: Frame): Frame {
  const exact = Float32Array.from(frame.observations.exact!);
  return { ...frame, teacherActions: exact.map((position) => -position) };
}

const taught = () => nodeServer({ open: async (asked) => new TaughtMass(asked) });

describe("a server that keeps the protocol", () => {
  it("is found to: MuJoCo", async () => {
    const server = await nodeServer({
      open: async ({ settings, numEnvs = 4 }) =>
        openMujoco({ task: "quadcopter-noisy", numEnvs, settings }),
    });
    const findings = await conform({ endpoint: server.endpoint });
    expect(findings.filter(({ verdict }) => verdict === "broken")).toEqual([]);
    expect(namesOf(findings.filter(({ verdict }) => verdict === "not-tested"))).toEqual([
      "teacher-actions",
      "pictures",
      "picture-group",
      "older-driver",
      "signs-of-life",
    ]);
    expect(namesOf(findings)).toEqual(namesOf(laws.map(({ name }) => ({ law: name }))));
  });

  it("is found to: one with a teacher of its own", async () => {
    const findings = await conform({ endpoint: (await taught()).endpoint });
    expect(namesOf(findings.filter(({ verdict }) => verdict !== "holds"))).toEqual([
      "pictures",
      "picture-group",
      "older-driver",
      "signs-of-life",
    ]);
  });

  it("is found to: Python, told by its beats that it loads", async () => {
    const { endpoint } = await pythonServer();
    expect(await brokenAt(endpoint)).toEqual([]);
    const slow = await nodeServer({
      open: async (asked) => {
        await new Promise((resolve) => setTimeout(resolve, 3300));
        return new PointMass(asked);
      },
    });
    const findings = await conform({ endpoint: slow.endpoint, only: ["signs-of-life"] });
    expect(findings).toMatchObject([{ law: "signs-of-life", verdict: "holds" }]);
  });
});

const nan = (data: Float32Array) => Float32Array.from(data, (x, i) => (i === 0 ? Number.NaN : x));
const sabotages: Readonly<Record<string, Sabotage>> = {
  "same-step": { step: stillOld },
  "final-observations": {
    step: (result) =>
      result.final === undefined
        ? result
        : { ...result, final: { ...result.final, rows: result.final.rows.slice().reverse() } },
  },
  bounds: {
    step: (result, actions) =>
      actions.some((a) => Math.abs(a) > 1)
        ? { ...result, rewards: result.rewards.map((r) => r + 1) }
        : result,
  },
  bitwise: {
    step: (result, _, resets) => ({
      ...result,
      rewards: result.rewards.map((r) => r + resets * 1e-4),
    }),
  },
  seeds: { reset: (frame, seed, n) => (seed > 2 ** 31 ? shifted(frame, n) : frame) },
  frame: {
    reset: (frame) => ({
      ...frame,
      observations: {
        ...frame.observations,
        exact: nan(Float32Array.from(frame.observations.exact!)),
      },
    }),
  },
  result: { step: (result) => ({ ...result, rewards: nan(result.rewards) }) },
  snapshot: { restore: (frame) => shifted(frame, 0.5) },
};

const without = (name: string) => (said: Said) => {
  const { [name]: _, ...tensors } = said.tensors;
  return { ...said, tensors };
};
const inType = (type: string, change: (said: Said) => Said | undefined) => (said: Said) =>
  said.header.type === type ? change(said) : said;
const put = (extra: () => object) => (said: Said) => ({
  ...said,
  header: { ...said.header, ...extra() },
});
const respec = (extra: object) => (said: Said) =>
  put(() => ({ spec: { ...(said.header.spec as object), ...extra } }))(said);
let count = 0;
const tampers: Readonly<Record<string, (said: Said) => Said | undefined>> = {
  specification: inType("welcome", respec({ max_episode_steps: 0 })),
  "spec-hash": inType(
    "welcome",
    put(() => ({ spec_hash: `h${++count}` })),
  ),
  "unknown-group": retold("unknown-group", { code: "bad-setting" }),
  "num-envs": inType("welcome", respec({ num_envs: 8 })),
  clock: inType("welcome", respec({ max_episode_steps: 10 })),
  "unknown-setting": retold("unknown-setting", { hint: "" }),
  "failed-hello": retold("unknown-session", { code: "not-reset" }, 2),
  "other-major": retold("version-mismatch", { code: "malformed" }),
  "same-bytes": inType(
    "result",
    put(() => ({ timing: { simulate: ++count } })),
  ),
  "stale-sequence": retold("stale-sequence", { code: "malformed" }),
  "sequence-gap": retold("sequence-gap", { code: "malformed" }),
  "one-driver": retold("busy", { retryable: false }),
  "unknown-session": retold("unknown-session", { fatal: false }),
  epoch: inType(
    "pong",
    put(() => ({ epoch: "another-epoch" })),
  ),
  ping: inType("pong", (said) => (said.header.seq === 0 ? undefined : said)),
  "not-reset": retold("not-reset", { message: "Error: no\n    at reset (env.ts:1)" }),
  "too-large": (said) =>
    /^frames/.test(String(said.header.message))
      ? put(() => ({ code: "simulator-failed" }))(said)
      : said,
  "unknown-type": retold("unknown-type", { code: "malformed" }),
  "bad-tensor": retold("bad-tensor", { code: "simulator-failed" }),
  "bad-value": retold("bad-value", { code: "simulator-failed" }),
  "teacher-actions": inType("result", without("teacher/actions")),
};

describe("a server that breaks one law is caught by exactly that law", () => {
  it.each(Object.entries(sabotages))("%s", async (law, sabotage) => {
    const { endpoint } = await nodeServer({
      open: async (asked) => new SabotagedMass(asked, sabotage),
    });
    expect(namesOf(await brokenAt(endpoint))).toEqual([law]);
  });

  it.each(Object.entries(tampers))("%s", async (law, change) => {
    const endpoint = await tampered((await taught()).endpoint, change);
    expect(namesOf(await brokenAt(endpoint))).toEqual([law]);
  });

  it("malformed", async () => {
    const endpoint = await tampered((await taught()).endpoint, ({ header, tensors }) => ({
      header: /comes twice/.test(String(header.message))
        ? { ...header, code: "simulator-failed" }
        : header,
      tensors,
    }));
    expect(namesOf(await brokenAt(endpoint))).toEqual(["malformed"]);
  });

  it("steps-once", async () => {
    const endpoint = await steppingTwice((await nodeServer()).endpoint);
    expect(namesOf(await brokenAt(endpoint, ["same-bytes", "steps-once", "bitwise"]))).toEqual([
      "steps-once",
    ]);
  });

  it("close", async () => {
    const { endpoint } = await nodeServer();
    const deaf = await proxy(endpoint, {
      requests: (frames) => (frames[0]!.includes("close") ? [] : [frames]),
    });
    const findings = await conform({ endpoint: deaf, only: ["close"], patience: 1 });
    expect(findings).toMatchObject([{ verdict: "broken", detail: /no reply to close/ }]);
  });
});

describe("where there is nobody to look at", () => {
  it("says so, and what to do", async () => {
    const nobody = conform({ endpoint: socketFile(), startupTimeout: 0.5 });
    await expect(nobody).rejects.toMatchObject({ code: "not-started", hint: /Start a server/ });
  });

  it("waits for a driver to leave, then gives up and names it", async () => {
    const { endpoint } = await nodeServer();
    const { connect } = await import("../remote/servers.ts");
    await connect({ endpoint });
    const refused = conform({ endpoint, startupTimeout: 1 });
    await expect(refused).rejects.toMatchObject({ code: "busy" });
  });
});
