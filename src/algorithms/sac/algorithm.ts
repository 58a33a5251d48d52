import { offlineAlgorithm } from "../offline/offline-algorithm.ts";
import { sacSettings } from "./settings.ts";

export const sac = offlineAlgorithm({
  name: "sac",
  summary: "soft actor-critic on recorded flights, a negative baseline (Haarnoja, 2018)",
  online: true,
  settings: sacSettings,
  flags: [["--discount", "X", "algorithm.discount"]],
  loss: "Loss/critic",
  lossLabel: "Critic",
  warning:
    "a negative baseline: nothing holds it to the actions in the data, so that it is expected to fail on recorded flights; rebrac and td3_bc are made for them",
  create: async (settings, site) => (await import("./learner.ts")).createSac(settings, site),
});
