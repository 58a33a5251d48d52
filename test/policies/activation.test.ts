import { beforeAll, describe, expect, it } from "vitest";
import { activationNamed } from "../../policies/networks/activation.ts";
import { PolicyError } from "../../policies/policy-error.ts";
import { startEngine } from "../../src/engine/start.ts";
import { checkActivations } from "./activation-laws.ts";

beforeAll(() => startEngine("auto"));

checkActivations();

describe("a name", () => {
  it("may be written in capitals, as rsl_rl allows", () => {
    expect(activationNamed("ELU").name).toBe("elu");
  });

  it.each([
    ["tanhh", "tanh"],
    ["sigmiod", "sigmoid"],
    ["leaky_relu", "lrelu"],
  ])("that is unknown, %s, is refused with the nearest known, %s", (wrong, near) => {
    const attempt = () => activationNamed(wrong);
    expect(attempt).toThrow(PolicyError);
    expect(attempt).toThrow(expect.objectContaining({ code: "unknown-activation" }));
    expect(attempt).toThrow(expect.objectContaining({ hint: `Did you mean ${near}?` }));
  });

  it.each(["", "__proto__", "toString", "constructor"])("like %j finds nothing", (wrong) => {
    expect(() => activationNamed(wrong)).toThrow(PolicyError);
  });
});
