import { expect, test } from "vitest";
import {
  cutAt,
  emptySeries,
  extend,
  mostBuckets,
  type Series,
} from "../../src/tui/state/series.ts";
import fc from "../properties.ts";

const figures = fc.array(fc.oneof(fc.double(), fc.constant(Number.NaN)), { maxLength: 4000 });

function seriesOf(values: readonly number[]): Series {
  return values.reduce((series, value, i) => extend(series, i, value), emptySeries);
}

test("no figure of a long run gets lost: smallest, largest and their number stay", () => {
  fc.assert(
    fc.property(figures, (values) => {
      const { buckets } = seriesOf(values);
      const finite = values.filter(Number.isFinite);
      expect(buckets.reduce((sum, { count }) => sum + count, 0)).toBe(finite.length);
      expect(Math.min(...buckets.map(({ min }) => min))).toBe(Math.min(...finite));
      expect(Math.max(...buckets.map(({ max }) => max))).toBe(Math.max(...finite));
    }),
    { numRuns: 30 },
  );
});

test("300,000 iterations stay within the bound, and a lone spike is still there", () => {
  let series = emptySeries;
  for (let i = 0; i < 300_000; i += 1) series = extend(series, i, i === 254_321 ? 99 : 1);
  expect(series.buckets.length).toBeLessThanOrEqual(mostBuckets);
  expect(series.buckets.length).toBeGreaterThan(mostBuckets / 2 - 1);
  const spike = series.buckets.find(({ max }) => max === 99)!;
  expect(spike.at).toBe(Math.floor(254_321 / series.stride));
});

test("iterations that lie far apart are thinned too", () => {
  let series = emptySeries;
  for (let i = 0; i < 5000; i += 1) series = extend(series, i * 1_000_003, i);
  expect(series.buckets.length).toBeLessThanOrEqual(mostBuckets);
});

test("a stretch of NaN is a gap, and infinities are no figures", () => {
  const series = seriesOf([1, Number.NaN, Number.POSITIVE_INFINITY, 2]);
  expect(series.buckets.map(({ count }) => count)).toEqual([1, 0, 0, 1]);
});

test("what was added to is what it was before", () => {
  const before = seriesOf([1, 2, 3]);
  const copy = structuredClone(before);
  extend(before, 3, 4);
  extend(before, 2, 9);
  cutAt(before, 1);
  expect(before).toEqual(copy);
});

test("cut at an iteration, nothing of it or later is left", () => {
  const lengths = fc.tuple(fc.nat(3000), fc.nat(3000));
  fc.assert(
    fc.property(lengths, ([length, at]) => {
      const cut = cutAt(seriesOf(Array.from({ length }, (_, i) => i)), at);
      for (const { max } of cut.buckets) expect(max).toBeLessThan(at);
    }),
    { numRuns: 30 },
  );
});
