import { beforeAll, describe, expect, it } from "vitest";
import { describeDiagnosis, diagnose, type Facts } from "../../src/engine/doctor/diagnosis.ts";
import { probeFacts } from "../../src/engine/doctor/probe-facts.ts";

const well: Facts = {
  node: "20.20.2",
  host: { platform: "linux", arch: "x64", glibc: "2.36", family: ["debian"], nvidiaDriver: false },
  engine: {
    backend: "tensorflow",
    device: "cpu",
    version: "2.21.0",
    source: "wheel",
    threads: 2,
    accelerators: [],
    description: "TensorFlow 2.21.0 on the processor, 2 threads",
  },
  warnings: [],
  python: { pip: ["python3", "-m", "pip"], version: "3.11.7", pipVersion: "23.2" },
  compiler: { command: "g++", version: "g++ 12.2" },
  cards: [],
  zeromq: {
    version: "4.3.5",
    curve: true,
    curveMegabytesPerSecond: 550.4,
    plainMegabytesPerSecond: 2000.6,
  },
  mujoco: { version: "3.14.0" },
  cache: { path: "/home/someone/.cache/firstsolo", bytes: 854e6 },
  oneCore: true,
};

const wasm: Facts = {
  ...well,
  engine: {
    backend: "wasm",
    device: "wasm",
    version: "4.22.0",
    threads: 1,
    accelerators: [],
    description: "TensorFlow.js 4.22.0 on WebAssembly",
  },
  warnings: ["no native TensorFlow is installed. The wasm backend computes instead"],
};

describe("a diagnosis", () => {
  it("of a sound machine has nothing to say, and these keys", () => {
    expect(diagnose(well)).toEqual({
      ok: true,
      node: "20.20.2",
      engine: {
        backend: "tensorflow",
        device: "cpu",
        version: "2.21.0",
        source: "wheel",
        threads: 2,
        accelerators: [],
      },
      zeromq: { version: "4.3.5", curve: true, curve_mb_per_s: 550, plain_mb_per_s: 2001 },
      mujoco: { version: "3.14.0" },
      cache: { path: "/home/someone/.cache/firstsolo", bytes: 854e6 },
      findings: [],
    });
    expect(describeDiagnosis(well)).toMatch(/Ready to fly\.$/);
  });

  it("keeps its keys when nothing works, and says that no flight is possible", () => {
    const facts: Facts = {
      ...well,
      engine: { failed: "no engine", hint: "Run: npm install." },
      zeromq: { failed: "no sockets" },
      mujoco: { failed: "no physics" },
    };
    const diagnosis = diagnose(facts);
    expect(Object.keys(diagnosis)).toEqual(Object.keys(diagnose(well)));
    expect(diagnosis).toMatchObject({ ok: false, engine: null, zeromq: null, mujoco: null });
    expect(diagnosis.findings.map(({ level }) => level)).toEqual(["error", "error", "warning"]);
    expect(describeDiagnosis(facts)).toMatch(/→ Run: npm install\..*Not ready to fly\.$/s);
  });

  it("flies on wasm with a warning that names each missing tool and its command", () => {
    const { compiler: _, ...bare } = wasm;
    const diagnosis = diagnose({ ...bare, python: { missing: "pip", version: "3.9" } });
    expect(diagnosis.ok).toBe(true);
    expect(diagnosis.findings).toHaveLength(1);
    expect(diagnosis.findings[0]?.do).toBe(
      "Run: sudo apt-get install python3-pip, then sudo apt-get install g++, then npx firstsolo doctor --install.",
    );
  });

  it("sees a card that lies idle, slow encryption, no encryption, old libraries and old Nodes", () => {
    const findings = (facts: Partial<Facts>) =>
      diagnose({ ...well, ...facts }).findings.map(({ level, what }) => `${level} ${what}`);
    expect(findings({ cards: ["RTX 4090"] })).toEqual([
      "warning RTX 4090 is not used, training runs on the processor",
    ]);
    const old = diagnose({ ...well, cards: ["RTX 4090"], flavour: "cuda" });
    expect(old.findings[0]?.do).toMatch(/^Update NVIDIA's driver/);
    const slow = { version: "4.3.4", curve: true, plainMegabytesPerSecond: 2000 };
    const busy = { ...slow, plainMegabytesPerSecond: 30, curveMegabytesPerSecond: 83 };
    expect(findings({ zeromq: busy })).toEqual([]);
    expect(findings({ zeromq: { ...slow, curveMegabytesPerSecond: 40 } })).toEqual([
      "note encrypted messages run at 40 MB/s, 1/50 of plain ones",
    ]);
    expect(findings({ zeromq: { ...slow, curve: false } })[0]).toMatch(/can't encrypt/);
    expect(findings({ node: "20.14.0" })).toEqual(["error Node 20.14.0 is too old"]);
    expect(findings({ node: "24.0.0" })).toEqual([]);
    expect(findings({ oneCore: false })[0]).toMatch(/^error two copies of @tensorflow\/tfjs-core/);
    const prebuilt = { ...well.engine, source: "prebuilt", version: "2.9.1" } as Facts["engine"];
    expect(findings({ engine: prebuilt })[0]).toMatch(/^warning TensorFlow 2.9.1 is the package's/);
  });
});

describe("what compiling brings", () => {
  it("is one line, and of a machine that can't compile another", () => {
    const compile = { firstMilliseconds: 61.4, eagerMilliseconds: 2.42, compiledMilliseconds: 1.1 };
    expect(describeDiagnosis({ ...well, compile })).toMatch(
      /compiled +an update takes 1\.10 ms instead of 2\.42 \(2\.2 times as fast\), once 61 ms\n/,
    );
    expect(describeDiagnosis(wasm)).toMatch(/compiled +no\n/);
    expect(describeDiagnosis({ ...well, compile: { failed: "no session" } })).toMatch(
      /compiled +no: no session\n/,
    );
  });
});

describe("the probes of this machine", () => {
  let facts: Facts;
  beforeAll(async () => {
    facts = await probeFacts("wasm");
  });

  it("find ZeroMQ with its speeds, MuJoCo and an engine", () => {
    const { ok, zeromq, mujoco, engine } = diagnose(facts);
    expect(ok).toBe(true);
    expect(engine?.backend).toBe("wasm");
    expect(mujoco?.version).toMatch(/^3\./);
    expect(zeromq?.version).toMatch(/^4\./);
    expect(zeromq?.plain_mb_per_s).toBeGreaterThan(0);
    expect(zeromq?.curve_mb_per_s).toBeGreaterThan(0);
  });

  it("give the failure, not an exception, for a device that is not there", async () => {
    const { engine } = await probeFacts("webgpu");
    expect(engine).toMatchObject({ failed: expect.stringMatching(/wasm already/) });
  });
});
