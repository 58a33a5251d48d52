import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { isRealError } from "../../src/engine/native.ts";
import { parseDevice, startEngine } from "../../src/engine/start.ts";
import { compiledEngine } from "../compiled-engine.ts";
import { REPOSITORY } from "./fake-machine.ts";

describe("--device", () => {
  it("names one of five, whatever its case", () => {
    for (const device of ["auto", "cuda", "cpu", "webgpu", "wasm"] as const) {
      expect(parseDevice(` ${device.toUpperCase()}`)).toEqual({ device });
    }
  });

  it("takes cuda:N as PyTorch's users write it", () => {
    expect(parseDevice("cuda:0")).toEqual({ device: "cuda", gpu: 0 });
    expect(parseDevice("cuda:3")).toEqual({ device: "cuda", gpu: 3 });
    expect(parseDevice("cpu:0")).toEqual({ device: "cpu" });
  });

  it.each(["", "tpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1234", "cpu:1"])(
    "refuses %j and lists what it knows",
    (text) => {
      expect(() => parseDevice(text)).toThrow(
        expect.objectContaining({
          code: "unknown-device",
          hint: expect.stringContaining("webgpu"),
        }),
      );
    },
  );
});

describe("threads", () => {
  it.each([0, -1, 1.5, Number.NaN, 5000])(
    "of %d are refused before anything loads",
    async (threads) => {
      await expect(startEngine("cpu", { threads })).rejects.toMatchObject({ code: "bad-threads" });
    },
  );
});

describe("TensorFlow's log while it loads", () => {
  it("is passed on where it is an error that matters", () => {
    expect(isRealError("E0000 00:00:17 1 driver.cc:1] CUDA driver is too old")).toBe(true);
    expect(isRealError("F0000 00:00:17 1 check.cc:1] Check failed")).toBe(true);
    expect(isRealError("I0000 00:00:17 1 port.cc:1] oneDNN custom operations are on")).toBe(false);
    expect(isRealError("E0000 00:00:17 1 cuda_dnn.cc:1] Unable to register cuDNN factory")).toBe(
      false,
    );
  });
});

describe("where tfjs-node is not installed", () => {
  it("auto computes on wasm with a warning of how slow it is, and cpu is refused", () => {
    const engine = compiledEngine();
    const root = join(engine, "..", "..", "..");
    bareModules(root);
    const script = `
      const { startEngine } = await import(${JSON.stringify(join(engine, "start.js"))});
      await startEngine("cpu").catch(({ code, hint }) => console.log(code, "|", hint));
      const engine = await startEngine("auto", { warn: (line) => console.log("warned:", line) });
      console.log(engine.backend);`;
    const done = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      encoding: "utf8",
    });
    const [refused, warned, backend] = done.stdout.split("\n");
    expect(refused).toMatch(/^native-unavailable \| Run: .*firstsolo.* doctor --install/);
    expect(warned).toMatch(/^warned: .*tfjs-node-gpu is not installed.*20 times slower/);
    expect(backend).toBe("wasm");
  });
});

/** The repository's packages without tfjs-node. Links, so that each still finds its own needs. */
function bareModules(root: string): void {
  rmSync(join(root, "node_modules"));
  const from = join(REPOSITORY, "node_modules");
  const link = (name: string) => {
    mkdirSync(dirname(join(root, "node_modules", name)), { recursive: true });
    symlinkSync(join(from, name), join(root, "node_modules", name));
  };
  for (const name of readdirSync(join(from, "@tensorflow"))) {
    if (name !== "tfjs-node-gpu") link(join("@tensorflow", name));
  }
}
