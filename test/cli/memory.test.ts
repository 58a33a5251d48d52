import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ActorState } from "../../src/algorithms/distillation/teacher-student-actor.ts";
import { checkpointOf, openHangar, small, summaryOf, timeless } from "./flights.ts";

const { train, run } = openHangar();

const students = {
  // Four states, where a GRU has one in each layer.
  "an LSTM of two layers, learned beside the flight":
    "policy.rnn_type=lstm policy.rnn_hidden_dim=8 policy.rnn_num_layers=2 --pipeline on",
  "the last three observations": "policy.history_length=3",
};

describe.each(Object.entries(students))("a student with %s", (_, keys) => {
  // Episodes of 20 steps end in the middle of rollouts of 30, and those in the middle of episodes.
  const flags = [
    ...small,
    ..."--task quadcopter-blind --max_iterations 6 --num_steps_per_env 30".split(" "),
    ...["algorithm.gradient_length=10", "evaluation.final_episodes=8", ...keys.split(" ")],
  ];

  it("goes on bit for bit after Ctrl-C in its own flight, and is measured again the same", async () => {
    const whole = await train(flags);
    expect(whole.code).toBe(0);
    const stopped = await train([...flags, "--run_name", "stopped"], {
      onRow: ({ iteration }, { pid }) => void (iteration === 2 && process.kill(-pid!, "SIGINT")),
    });
    expect(stopped.code).toBe(130);
    expect(stopped.rows.length).toBeLessThan(6);
    const resumed = await train(["--resume", stopped.run]);
    expect(timeless([...stopped.rows, ...resumed.rows])).toEqual(timeless(whole.rows));
    const [a, b] = await Promise.all(
      [whole, stopped].map(({ run }) => checkpointOf(join(run, "model_5.pt"))),
    );
    expect(b!.learner).toEqual(a!.learner);
    const actorIn = ({ source }: NonNullable<typeof a>) =>
      (source.facts as { actor: ActorState }).actor;
    const { studentMemory } = actorIn(a!);
    expect(studentMemory.flat().some((value) => value !== 0)).toBe(true);
    expect([b!.plan, actorIn(b!)]).toEqual([a!.plan, actorIn(a!)]);

    const { stdout } = await run("eval", stopped.run, "--episodes", "8", "--json");
    const { checkpoint: __, ...figures } = JSON.parse(stdout);
    expect(summaryOf(whole.run)).toMatchObject(figures);
  });
});
