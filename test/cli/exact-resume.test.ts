import { join } from "node:path";
import { describe, expect, it } from "vitest";
import fc from "../properties.ts";
import { checkpointOf, openHangar, rowsOf, type Session, small, timeless } from "./flights.ts";

const { train } = openHangar();

/** Long enough to be killed in several places; checkpoints at every third iteration, and the best ones. */
const long = [...small, "--max_iterations", "14", "--save_interval", "3"];

/** Kills the runner at a row of its session, some milliseconds later. */
interface Kill {
  readonly row: number;
  readonly delay: number;
}

async function killed(args: readonly string[], { row, delay }: Kill): Promise<Session> {
  let rows = 0;
  return train(args, {
    onRow: (_, runner) => {
      rows += 1;
      if (rows === row) setTimeout(() => runner.kill("SIGKILL"), delay);
    },
  });
}

/** Moments drawn by a seed: the same ones every time; `npm run fuzz -- kill` draws many. */
function momentsOf(seed: number): readonly Kill[] {
  const [row, delay] = [fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 40 })];
  const kills = fc.array(fc.record({ row, delay }), { minLength: 2, maxLength: 2 });
  return fc.sample(kills, { seed, numRuns: 1 })[0]!;
}

async function endOf(run: string) {
  const { learner, plan, source, progress } = await checkpointOf(join(run, "model_13.pt"));
  return { learner, plan, source, progress, rows: timeless(rowsOf(run)) };
}

describe("a run that is killed at any moment, and gone on with, again and again", () => {
  it.each([
    [2, ["--pipeline", "on", "algorithm.buffer_size=300", "policy.student_obs_normalization=true"]],
    [3, ["algorithm.buffer_size=300", "policy.rnn_type=gru", "policy.rnn_hidden_dim=8"]],
  ])(
    "ends with the rows and weights of one that was left alone, bit for bit: seed %i, %s",
    async (seed, overrides) => {
      const whole = await train([...long, ...overrides]);
      const [first, ...later] = momentsOf(seed);
      const { run, signal } = await killed([...long, ...overrides], first!);
      expect(signal).toBe("SIGKILL");
      for (const moment of later) await killed(["--resume", run], moment);
      const last = await train(["--resume", run]);
      expect([last.code, last.stderr]).toEqual([0, expect.any(String)]);
      expect(await endOf(run)).toEqual(await endOf(whole.run));
    },
  );
});
