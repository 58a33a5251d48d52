import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CheckpointError, PolicyError } from "../../policies/policy-error.ts";
import { CodedError } from "../../protocol/coded-error.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { EndpointError } from "../../sim-adapters/endpoint.ts";
import { SimError } from "../../sim-adapters/inside/sim-error.ts";
import { RemoteError } from "../../sim-adapters/remote/remote-error.ts";
import { ServeError } from "../../sim-adapters/serve/serve-error.ts";
import { ConfigError } from "../../src/config/config-error.ts";
import { EngineError } from "../../src/engine/engine-error.ts";
import { LearningError } from "../../src/learning/learning-error.ts";
import { SinkError } from "../../src/metrics/sink-error.ts";
import { RunningError } from "../../src/running/running-error.ts";
import { RunError } from "../../src/runs/run-error.ts";
import { ScreenError } from "../../src/tui/screen-error.ts";

const cause = new Error("below");
const hint = "Do this.";
const detail = { hint, cause, field: "x" };

const errors: readonly CodedError[] = [
  ...[PolicyError, CheckpointError, ConfigError, RunningError, LearningError, RunError].map(
    (Kind) => new Kind("a-code", "what", hint, { cause }),
  ),
  ...[ScreenError, SinkError].map((Kind) => new Kind("a-code", "what", hint, { cause })),
  new EngineError("disk-full", "what", hint, { cause }),
  new EndpointError("bad-endpoint", "what", hint, { cause }),
  new ProtocolError("bad-value", "what", detail),
  ...[RemoteError, ServeError, SimError].map((Kind) => new Kind("a-code", "what", detail)),
];

describe("an expected failure", () => {
  it.each(errors.map((error) => [error.name, error] as const))(
    "%s says what, why and what next, and is told from others by its class",
    (name, error) => {
      expect(error).toBeInstanceOf(CodedError);
      expect(error.constructor.name).toBe(name);
      expect(error.code).toMatch(/^[a-z][a-z-]*$/);
      expect(error).toMatchObject({ hint, cause, message: expect.stringMatching(/what$/) });
      expect(String(error)).toBe(`${name}: ${error.message}`);
    },
  );

  it("without a cause has none, not an undefined one", () => {
    expect("cause" in new ConfigError("a", "b", "c")).toBe(false);
    expect("cause" in new RunError("a", "b", "c", { cause: undefined })).toBe(false);
  });

  it("never has a hint that helps nobody", () => {
    const root = join(import.meta.dirname, "../..");
    const rooms = ["src", "policies", "protocol", "sim-adapters"];
    const sources = rooms.flatMap((room) =>
      readdirSync(join(root, room), { encoding: "utf8", recursive: true })
        .filter((name) => /\.(ts|tsx|py)$/.test(name))
        .map((name) => join(root, room, name)),
    );
    expect(sources.length).toBeGreaterThan(100);
    const found = sources.filter((path) => readFileSync(path, "utf8").includes('"Correct it."'));
    expect(found).toEqual([]);
  });
});
