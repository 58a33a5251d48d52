import { offlineAlgorithm } from "../offline/offline-algorithm.ts";
import { iqlSettings } from "./settings.ts";

export const iql = offlineAlgorithm({
  name: "iql",
  summary: "implicit Q-learning, from recorded flights (Kostrikov, 2021)",
  settings: iqlSettings,
  flags: [["--discount", "X", "algorithm.discount"]],
  online: true,
  loss: "Loss/critic",
  lossLabel: "Critic",
  create: async (settings, site) => (await import("./learner.ts")).createIql(settings, site),
});
