import { describe, expect, it } from "vitest";
import type { Policy } from "../../policies/policy.ts";
import { Random } from "../../policies/random.ts";
import type { Frame } from "../../protocol/frame.ts";

export interface PolicySubject {
  readonly make: () => Policy | Promise<Policy>;
  /** Observation groups by width: what the policy reads, and what it must not care for. */
  readonly groups: Readonly<Record<string, number>>;
  /** It flies on actions that come with the frame. */
  readonly teacherActions?: number;
}

const rows = 5;

/** What whoever acts keeps to. */
export function policyLaws(name: string, subject: PolicySubject): void {
  const frames = (count: number, started: readonly number[] = []): Frame[] => {
    const random = new Random(3);
    const normal = (length: number) => Float32Array.from({ length }, random.normal);
    return Array.from({ length: count }, (_, step) => ({
      observations: Object.fromEntries(
        Object.entries(subject.groups).map(([group, width]) => [group, normal(rows * width)]),
      ),
      started: Uint8Array.from({ length: rows }, (__, row) => (step > 0 && started[row]) || 0),
      ...(subject.teacherActions && { teacherActions: normal(rows * subject.teacherActions) }),
    }));
  };
  const fly = async (policy: Policy, seen: readonly Frame[]) => {
    let memory = policy.initialMemory(rows);
    const actions: number[][] = [];
    for (const frame of seen) {
      const flown = await policy.act(frame, memory);
      memory = flown.memory;
      actions.push([...flown.actions]);
    }
    return { actions, memory };
  };

  describe(`${name}, as every policy,`, () => {
    it("gives as many numbers as it says, from groups as wide as it says", async () => {
      const policy = await subject.make();
      const width = policy.reads.reduce((sum, group) => sum + subject.groups[group]!, 0);
      expect(policy.observationWidth).toBe(width);
      const { actions } = await fly(policy, frames(2));
      for (const one of actions) expect(one).toHaveLength(rows * policy.actionWidth);
      policy.dispose();
    });

    it("does the same again from the same memory, whatever it did in between", async () => {
      const policy = await subject.make();
      const first = await fly(policy, frames(3));
      await fly(policy, frames(2, [1, 1, 1, 1, 1]));
      expect(await fly(policy, frames(3))).toEqual(first);
      policy.dispose();
    });

    it("writes neither to what it sees nor to the memory it is given", async () => {
      const policy = await subject.make();
      const [before, frame] = frames(2);
      const { memory } = await policy.act(before!, policy.initialMemory(rows));
      const copies = structuredClone({ frame, memory });
      await policy.act(frame!, memory);
      expect({ frame, memory }).toEqual(copies);
      policy.dispose();
    });

    it("owns what it gives: later steps change none of it", async () => {
      const policy = await subject.make();
      const [one, two] = frames(2);
      const flown = await policy.act(one!, policy.initialMemory(rows));
      const copy = structuredClone(flown);
      await policy.act(two!, flown.memory);
      expect(flown).toEqual(copy);
      policy.dispose();
    });

    it("flies each row by itself: what the others see makes no difference", async () => {
      const policy = await subject.make();
      const seen = frames(3);
      const changed = seen.map((frame) => ({
        ...frame,
        observations: Object.fromEntries(
          Object.entries(frame.observations).map(([group, data]) => {
            const width = data.length / rows;
            return [group, data.map((value, i) => (i < width ? value : value + 1))];
          }),
        ),
      }));
      const own = ({ actions }: Awaited<ReturnType<typeof fly>>) =>
        actions.map((one) => one.slice(0, policy.actionWidth));
      const [a, b] = [own(await fly(policy, seen)), own(await fly(policy, changed))];
      for (const [step, one] of a.entries()) {
        for (const [i, value] of one.entries()) expect(b[step]![i]).toBeCloseTo(value, 5);
      }
      policy.dispose();
    });

    it("remembers nothing across the start of an episode", async () => {
      const policy = await subject.make();
      const seen = frames(3, [1, 0, 0, 0, 0]);
      const { actions } = await fly(policy, seen);
      const alone = await fly(policy, [seen.at(-1)!]);
      const first = (one: readonly number[]) => one.slice(0, policy.actionWidth);
      for (const [i, value] of first(alone.actions[0]!).entries()) {
        expect(first(actions.at(-1)!)[i]).toBeCloseTo(value, 5);
      }
      policy.dispose();
    });
  });
}
