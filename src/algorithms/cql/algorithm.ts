import { offlineAlgorithm } from "../offline/offline-algorithm.ts";
import { cqlSettings } from "./settings.ts";

export const cql = offlineAlgorithm({
  name: "cql",
  summary: "conservative Q-learning, from recorded flights (Kumar, 2020)",
  settings: cqlSettings,
  flags: [["--discount", "X", "algorithm.discount"]],
  loss: "Loss/critic",
  lossLabel: "Critic",
  create: async (settings, site) => (await import("./learner.ts")).createCql(settings, site),
});
