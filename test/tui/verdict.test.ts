import { expect, test } from "vitest";
import { judge, type Progression, type Trend } from "../../src/tui/state/verdict.ts";

const flown = (student: (i: number) => number, length = 50, teacher = 100): Progression[] =>
  Array.from({ length }, (_, iteration) => {
    return { iteration, result: student(iteration), against: teacher, loss: 0.01 };
  });
const learned = (loss: (i: number) => number, length = 50): Progression[] =>
  Array.from({ length }, (_, iteration) => {
    return { iteration, result: undefined, against: undefined, loss: loss(iteration) };
  });
const verdictOf = (history: readonly Progression[], trend: Partial<Trend> = {}) =>
  judge({ evaluated: history, losses: history, compared: true, ...trend });

test("a student that gains more than 1 % of its teacher's return is improving", () => {
  expect(verdictOf(flown((i) => 50 + i))).toBe("improving");
  expect(verdictOf(flown((i) => (i < 25 ? 90 : 90.9)))).toBe("plateau");
  expect(verdictOf(flown((i) => (i < 25 ? 90 : 91.1)))).toBe("improving");
});

test("a student that loses more than 5 % of its teacher's return is diverging", () => {
  expect(verdictOf(flown((i) => (i < 25 ? 95 : 90.1)))).toBe("plateau");
  expect(verdictOf(flown((i) => (i < 25 ? 95 : 89.9)))).toBe("diverging");
});

test("returns below zero are measured by their size: from -120 to -100 is better", () => {
  expect(verdictOf(flown((i) => -120 + i / 2.5, 50, -90))).toBe("improving");
  expect(verdictOf(flown((i) => -100 - i / 2.5, 50, -90))).toBe("diverging");
});

test("a loss that is no number is diverging, however well it flies", () => {
  const broken = { iteration: 50, result: 99, against: 100, loss: Number.NaN };
  expect(verdictOf([...flown((i) => 50 + i), broken])).toBe("diverging");
});

test("too few evaluations say nothing, and neither do none with too few losses", () => {
  expect(verdictOf([])).toBe("too early to say");
  expect(verdictOf(flown(() => 50, 15))).toBe("too early to say");
  expect(verdictOf(learned(() => 1, 15))).toBe("too early to say");
});

test("where nothing is evaluated the loss speaks", () => {
  expect(verdictOf(learned((i) => 1 / (i + 1)))).toBe("improving");
  expect(verdictOf(learned(() => 0.1))).toBe("plateau");
  expect(verdictOf(learned((i) => 0.1 + i / 10))).toBe("diverging");
});

test("only the latest 50 evaluations count", () => {
  const longAgo = flown((i) => i, 100);
  expect(verdictOf([...longAgo, ...flown(() => 80)])).toBe("plateau");
});

test("a drop while the window still holds the stage before is settling; one that stays is diverging", () => {
  const dipped = flown((i) => (i < 25 ? 95 : 80));
  expect(verdictOf(dipped, { since: 25 })).toBe("settling");
  expect(verdictOf(dipped, { since: 1 })).toBe("settling");
  expect(verdictOf(dipped, { since: 0 })).toBe("diverging");
  expect(
    verdictOf(
      flown((i) => (i < 25 ? 80 : 95)),
      { since: 25 },
    ),
  ).toBe("improving");
});

test("without a teacher a result is measured by its own size", () => {
  const alone = (result: (i: number) => number) =>
    flown(result).map((one) => ({ ...one, against: undefined }));
  const apart = { compared: false };
  expect(
    verdictOf(
      alone((i) => (i < 25 ? 1000 : 1020)),
      apart,
    ),
  ).toBe("improving");
  expect(
    verdictOf(
      alone((i) => (i < 25 ? 1000 : 1005)),
      apart,
    ),
  ).toBe("plateau");
  expect(
    verdictOf(
      alone((i) => (i < 25 ? -1000 : -1100)),
      apart,
    ),
  ).toBe("diverging");
  expect(
    verdictOf(
      alone((i) => 50 + i),
      { compared: true },
    ),
  ).toBe("plateau");
});
