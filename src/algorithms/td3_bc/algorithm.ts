import { offlineAlgorithm } from "../offline/offline-algorithm.ts";
import { td3BcSettings } from "./settings.ts";

export const td3Bc = offlineAlgorithm({
  name: "td3_bc",
  summary: "TD3 with behaviour cloning, from recorded flights (Fujimoto and Gu, 2021)",
  settings: td3BcSettings,
  flags: [
    ["--alpha", "X", "algorithm.alpha"],
    ["--discount", "X", "algorithm.discount"],
  ],
  online: true,
  loss: "Loss/critic",
  lossLabel: "Critic",
  create: async (settings, site) => (await import("./learner.ts")).createTd3Bc(settings, site),
});
