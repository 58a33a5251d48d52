import { describe, expect, it } from "vitest";
import { createBc } from "../../../src/algorithms/bc/learner.ts";
import { bcSettings } from "../../../src/algorithms/bc/settings.ts";
import { flights, offlineLaws, site, stage } from "../offline-laws.ts";

const make = (changes: object = {}, at = site) =>
  createBc(bcSettings.parse({ actor_hidden_dims: [16, 16], ...changes }), at);

offlineLaws("behaviour cloning", { make: (at) => make({}, at), bootstraps: false });

describe("behaviour cloning", () => {
  it("comes to do what was done, beyond the bounds what the simulator makes of it", async () => {
    const learner = make({ learning_rate: 5e-3 });
    const [steps, rows] = [200, 32];
    const wanted = [1, 7, 0.75];
    const actions = Float32Array.from({ length: steps * rows * 3 }, (_, i) => wanted[i % 3]!);
    const { arrays } = flights(steps, rows);
    const first = await learner.update(flights(1, rows, { actions: actions.slice(0, 96) }), stage);
    const last = await learner.update(
      { steps, numEnvs: rows, arrays: { ...arrays, actions } },
      stage,
    );
    expect(last["Loss/bc"]).toBeLessThan(0.2 * first["Loss/bc"]!);
    const observations = { policy: new Float32Array(3), wind: new Float32Array(2) };
    const student = learner.policies.student!;
    const flown = await student.act({ observations, started: new Uint8Array(1) }, []);
    for (const [i, value] of [1, 2, 0.75].entries()) {
      expect(Math.abs(flown.actions[i]! - value)).toBeLessThan(0.2);
    }
    learner.dispose();
  });
});
