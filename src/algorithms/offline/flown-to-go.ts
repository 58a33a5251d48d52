import type { Experience } from "../../learning/experience.ts";

/**
 * A rollout with each reward the discounted sum of those from there to its episode's end, as `withRewardsToGo` for
 * recorded flights. Of an episode that goes on behind the rollout, what is in it counts.
 */
export function flownToGo(flown: Experience, discount: number): Experience {
  const { steps, numEnvs, arrays } = flown;
  const { terminated, truncated } = arrays;
  const rewards = Float32Array.from(arrays.rewards!);
  for (let i = (steps - 1) * numEnvs - 1; i >= 0; i -= 1) {
    const over = terminated![i] === 1 || truncated![i] === 1;
    if (!over) rewards[i]! += discount * rewards[i + numEnvs]!;
  }
  return { steps, numEnvs, arrays: { ...arrays, rewards } };
}
