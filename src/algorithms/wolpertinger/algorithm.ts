import { offlineAlgorithm } from "../offline/offline-algorithm.ts";
import { wolpertingerSettings } from "./settings.ts";

export const wolpertinger = offlineAlgorithm({
  name: "wolpertinger",
  summary:
    "the critic's choice among recorded actions near the actor's, in a ranker's latent space (Dulac-Arnold, 2015)",
  online: true,
  settings: wolpertingerSettings,
  flags: [
    ["--discount", "X", "algorithm.discount"],
    ["--neighbours", "N", "algorithm.neighbours"],
  ],
  loss: "Loss/critic",
  lossLabel: "Critic",
  create: async (settings, site) =>
    (await import("./learner.ts")).createWolpertinger(settings, site),
});
