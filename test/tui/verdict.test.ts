import { expect, test } from "vitest";
import { judge, type Progression } from "../../src/tui/state/verdict.ts";

const flown = (student: (i: number) => number, length = 50, teacher = 100): Progression[] =>
  Array.from({ length }, (_, i) => ({ student: student(i), teacher, loss: 0.01 }));
const learned = (loss: (i: number) => number, length = 50): Progression[] =>
  Array.from({ length }, (_, i) => ({ student: undefined, teacher: undefined, loss: loss(i) }));

test("a student that gains more than 1 % of its teacher's return is improving", () => {
  expect(judge(flown((i) => 50 + i))).toBe("improving");
  expect(judge(flown((i) => (i < 25 ? 90 : 90.9)))).toBe("plateau");
  expect(judge(flown((i) => (i < 25 ? 90 : 91.1)))).toBe("improving");
});

test("a student that loses more than 5 % of its teacher's return is diverging", () => {
  expect(judge(flown((i) => (i < 25 ? 95 : 90.1)))).toBe("plateau");
  expect(judge(flown((i) => (i < 25 ? 95 : 89.9)))).toBe("diverging");
});

test("returns below zero are measured by their size: from -120 to -100 is better", () => {
  expect(judge(flown((i) => -120 + i / 2.5, 50, -90))).toBe("improving");
  expect(judge(flown((i) => -100 - i / 2.5, 50, -90))).toBe("diverging");
});

test("a loss that is no number is diverging, however well it flies", () => {
  const history = [...flown((i) => 50 + i), { student: 99, teacher: 100, loss: Number.NaN }];
  expect(judge(history)).toBe("diverging");
});

test("too few evaluations say nothing, and neither do none with too few losses", () => {
  expect(judge([])).toBe("too early to say");
  expect(judge(flown(() => 50, 15))).toBe("too early to say");
  expect(judge(learned(() => 1, 15))).toBe("too early to say");
});

test("where nothing is evaluated the loss speaks", () => {
  expect(judge(learned((i) => 1 / (i + 1)))).toBe("improving");
  expect(judge(learned(() => 0.1))).toBe("plateau");
  expect(judge(learned((i) => 0.1 + i / 10))).toBe("diverging");
});

test("only the latest 50 evaluations count", () => {
  const longAgo = flown((i) => i, 100);
  expect(judge([...longAgo, ...flown(() => 80)])).toBe("plateau");
});
