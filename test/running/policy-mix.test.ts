import { expect, it } from "vitest";
import type { Policy } from "../../policies/policy.ts";
import { Random } from "../../policies/random.ts";
import { PolicyMix } from "../../src/running/policy-mix.ts";

const action = { shape: [1], low: -1, high: 1 } as never;

function always(value: number): Policy {
  return {
    reads: [],
    observationWidth: 0,
    actionWidth: 1,
    initialMemory: () => [],
    act: async ({ started }) => ({
      actions: new Float32Array(started.length).fill(value),
      memory: [],
    }),
    dispose: () => {},
  };
}

interface Fleet {
  readonly numEnvs: number;
  /** Whole episodes of each environment. */
  readonly rounds: number;
  readonly seed: number;
}

/** Who drove, episode by episode. */
async function driversOf(shares: readonly number[], { numEnvs, rounds, seed }: Fleet) {
  const policies = shares.map((share, i) => ({ name: `p${i}`, policy: always(i / 10), share }));
  const random = new Random(seed);
  const mix = new PolicyMix({ policies, action, numEnvs, noiseStd: 0, random });
  const drivers: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const started = new Uint8Array(numEnvs).fill(1);
    const { actions, notes } = await mix.act({ observations: {}, started });
    const driver = [...(notes!.driver as Uint8Array)];
    expect([...actions].map((value) => Math.round(10 * value))).toEqual(driver);
    drivers.push(...driver);
  }
  return drivers;
}

it.each([
  [[0.7, 0.3], 8, 5],
  [[0.5, 0.3, 0.2], 3, 7],
  [[0.05, 0.95], 1, 40],
  [[1, 0], 4, 3],
  [[1 / 3, 1 / 3, 1 / 3], 10, 10],
])(
  "gives each policy its share of the episodes: %j of %i environments",
  async (shares, numEnvs, rounds) => {
    for (let seed = 0; seed < 30; seed += 1) {
      const drivers = await driversOf(shares, { numEnvs, rounds, seed });
      for (const [i, share] of shares.entries()) {
        const flown = drivers.filter((driver) => driver === i).length;
        expect(Math.abs(flown - share * drivers.length)).toBeLessThanOrEqual(share === 0 ? 0 : 2);
      }
    }
  },
);

it("draws who drives, differently by seed", async () => {
  const fleet = { numEnvs: 20, rounds: 2 };
  const first = await driversOf([0.5, 0.5], { ...fleet, seed: 1 });
  expect(first).not.toEqual(await driversOf([0.5, 0.5], { ...fleet, seed: 2 }));
  expect(new Set(first.filter((_, i) => i % 2 === 0)).size).toBe(2);
});
