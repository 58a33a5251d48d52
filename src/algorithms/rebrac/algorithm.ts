import { offlineAlgorithm } from "../offline/offline-algorithm.ts";
import { rebracSettings } from "./settings.ts";

export const rebrac = offlineAlgorithm({
  name: "rebrac",
  summary: "TD3 with a penalty in actor and critic, from recorded flights (Tarasov, 2023)",
  settings: rebracSettings,
  flags: [["--discount", "X", "algorithm.discount"]],
  online: true,
  loss: "Loss/critic",
  lossLabel: "Critic",
  create: async (settings, site) => (await import("./learner.ts")).createRebrac(settings, site),
});
