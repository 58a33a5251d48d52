import { offlineAlgorithm } from "../offline/offline-algorithm.ts";
import { reinforceSettings } from "./settings.ts";

export const reinforce = offlineAlgorithm({
  name: "reinforce",
  summary: "policy gradient on recorded flights, a negative baseline (Williams, 1992)",
  online: true,
  settings: reinforceSettings,
  flags: [["--discount", "X", "algorithm.discount"]],
  loss: "Loss/actor",
  lossLabel: "Policy",
  warning:
    "a negative baseline: it takes what others flew for its own flights, so that it is expected to fail on recorded ones; bc imitates, rebrac and td3_bc improve on them",
  create: async (settings, site) => (await import("./learner.ts")).createReinforce(settings, site),
});
