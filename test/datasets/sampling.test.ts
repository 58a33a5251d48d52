import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bestEpisodes } from "../../src/datasets/best-episodes.ts";
import type { RecordedFlights } from "../../src/datasets/recorded-flights.ts";
import { Transitions } from "../../src/datasets/transitions.ts";
import { type FlightFiles, makeFlightFiles, withFlights } from "./flight-files.ts";

let files: FlightFiles;
beforeAll(async () => {
  files = await makeFlightFiles();
});
afterAll(() => files.remove());

const needs = { groups: ["policy"], successors: ["policy"], notes: [] };
/** So little that the long file is read in about ten windows. */
const LITTLE = 128 << 10;
const LONG_STEPS = 22_750;
const DRAWABLE = LONG_STEPS - 200;

const long = <T>(use: (flights: RecordedFlights) => T) =>
  withFlights(files.path("d4rl-long.hdf5"), use);

/** Which step a row is: its observation's first component. */
function draws(transitions: Transitions, batches: number, batch: number): number[] {
  const { arrays } = transitions.draw(batches);
  const observations = arrays["obs/policy"]!;
  return Array.from({ length: batches * batch }, (_, i) => observations[i * 3]!);
}

describe("What fits into memory", () => {
  it("is drawn uniformly from all of it", () =>
    long((flights) => {
      const transitions = new Transitions(flights, needs, { batch: 1000, seed: 5 });
      expect(transitions.facts).toMatchObject({ fits: true, drawable: DRAWABLE, leftOut: 200 });
      const episodes = new Float64Array(400);
      const count = 400_000;
      for (let i = 0; i < count / 1000; i += 1) {
        for (const step of draws(transitions, 1, 1000)) episodes[Math.floor(step / 1000)]! += 1;
      }
      // χ² over the episodes, by their drawable steps: mean 399, standard deviation 28.
      const { lengths, endings } = flights.episodes;
      const squares = episodes.map((seen, e) => {
        const steps = lengths[e]! - (endings[e] === "truncated" ? 1 : 0);
        const expected = (count * steps) / DRAWABLE;
        return (seen - expected) ** 2 / expected;
      });
      expect(squares.reduce((sum, x) => sum + x)).toBeLessThan(399 + 5 * 28);
    }));
});

describe("What does not fit", () => {
  it("is drawn once in every epoch, each step, and in another order", () =>
    long((flights) => {
      const transitions = new Transitions(flights, needs, {
        batch: 50,
        seed: 5,
        memoryBytes: LITTLE,
      });
      expect(transitions.facts.fits).toBe(false);
      expect(transitions.facts.bytes).toBeLessThan(LITTLE);
      const first = draws(transitions, DRAWABLE / 50, 50);
      const second = draws(transitions, DRAWABLE / 50, 50);
      expect(new Set(first).size).toBe(DRAWABLE);
      expect(new Set(second).size).toBe(DRAWABLE);
      expect(second).not.toEqual(first);
    }));

  it("is the true successor's everywhere, also where a window or a strip ends", () =>
    long((flights) => {
      const transitions = new Transitions(flights, needs, {
        batch: 50,
        seed: 6,
        memoryBytes: LITTLE,
      });
      const { arrays } = transitions.draw(DRAWABLE / 50);
      const [now, next] = [arrays["obs/policy"]!, arrays["next/policy"]!];
      for (let i = 0; i < DRAWABLE; i += 1) {
        expect(next[i * 3]! - now[i * 3]!).toBe(arrays.terminated![i] ? 0 : 1);
      }
    }));

  it("mixes a batch from many episodes", () =>
    long((flights) => {
      const transitions = new Transitions(flights, needs, {
        batch: 256,
        seed: 7,
        memoryBytes: LITTLE,
      });
      for (let i = 0; i < 20; i += 1) {
        const steps = draws(transitions, 1, 256);
        expect(new Set(steps.map((step) => Math.floor(step / 1000))).size).toBeGreaterThan(25);
      }
    }));

  it("asks for more memory where it can't shuffle", () =>
    long((flights) => {
      const make = () => new Transitions(flights, needs, { batch: 2, seed: 1, memoryBytes: 4096 });
      expect(make).toThrow(expect.objectContaining({ code: "too-little-memory" }));
    }));
});

describe.each([1 << 30, LITTLE])("With %d bytes", (memoryBytes) => {
  const make = (flights: RecordedFlights, seed: number) =>
    new Transitions(flights, needs, { batch: 64, seed, memoryBytes });

  it("the same seed draws the same, another one something else", () =>
    long((flights) => {
      const [a, b, c] = [make(flights, 1), make(flights, 1), make(flights, 2)];
      const drawn = draws(a, 40, 64);
      expect(draws(b, 40, 64)).toEqual(drawn);
      expect(draws(c, 40, 64)).not.toEqual(drawn);
    }));

  it.each([0, 3, 70, 400])("a saved place after %d batches goes on as if nothing was", (batches) =>
    long((flights) => {
      const whole = make(flights, 9);
      if (batches > 0) whole.draw(batches);
      const state = JSON.parse(JSON.stringify(whole.save()));
      const again = make(flights, 1234);
      again.load(state);
      expect(draws(again, 400, 64)).toEqual(draws(whole, 400, 64));
      expect(again.save()).toEqual(whole.save());
    }),
  );
});

it("A saved place of other flights is refused", () =>
  long(async (flights) => {
    const state = new Transitions(flights, needs, { batch: 2, seed: 1 }).save();
    await withFlights(files.path("plain"), (other) => {
      const transitions = new Transitions(other, needs, { batch: 2, seed: 1 });
      expect(() => transitions.load(state)).toThrow(/22550 steps to draw, these have 16/);
    });
  }));

it("Only chosen episodes are drawn", () =>
  long((flights) => {
    const episodes = bestEpisodes(flights, 0.01);
    expect(episodes).toHaveLength(4);
    for (const memoryBytes of [1 << 30, 11_000]) {
      const options = { batch: 100, seed: 1, episodes, memoryBytes };
      const transitions = new Transitions(flights, needs, options);
      const seen = new Set(draws(transitions, 20, 100).map((step) => Math.floor(step / 1000)));
      expect([...seen].sort((a, b) => a - b)).toEqual([...episodes]);
    }
  }));

it("A dataset of images stays bytes in memory and is handed out as bytes", () =>
  withFlights(files.path("d4rl-tree.hdf5"), (flights) => {
    const wanted = { groups: ["camera/rgb"], successors: [], notes: [] };
    const transitions = new Transitions(flights, wanted, { batch: 8, seed: 1 });
    expect(transitions.facts.bytes).toBe(16 * (12 + 2 * 4 + 4 + 1 + 1 + 4));
    expect(transitions.draw(1).arrays["obs/camera/rgb"]).toBeInstanceOf(Uint8Array);
  }));
