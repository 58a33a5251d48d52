import { offlineKind } from "../../learning/parity/offline-case.ts";
import {
  arrayNamed,
  arraysUnder,
  badFile,
  numberNamed,
  type ReferenceFile,
} from "../../learning/parity/reference.ts";
import { createLapo } from "./learner.ts";
import { lapoSettings } from "./settings.ts";

/** Updates of LAPO's own program, class `Latent`. */
export const lapoParity = offlineKind({
  name: "lapo",
  settingsOf,
  // Actions are standardised already, and bounded by nothing.
  maxActionOf: () => 1,
  create: createLapo,
  figuresOf: () => ({
    q1_mean_before: "Value/q_data",
    v_mean_before: "Value/v_mean",
    critic_loss: "Loss/critic",
    q1_loss: "Loss/q1",
    q2_loss: "Loss/q2",
    v_loss: "Loss/v",
    vae_loss: "Loss/vae",
    actor_loss: "Loss/actor",
    reconstruction: "Loss/reconstruction",
  }),
});

function settingsOf(file: ReferenceFile) {
  const numbers = [
    ...["vae_lr", "actor_lr", "critic_lr", "discount", "tau", "expectile", "kl_beta"],
    ...["doubleq_min", "max_latent_action", "min_v", "max_v"],
  ];
  return lapoSettings.parse({
    ...Object.fromEntries(numbers.map((name) => [name, numberNamed(file, name)])),
    latent_dim: arrayNamed(file, "initial.vae.mean.bias").shape[0],
    actor_hidden_dims: hiddenOf(file, "actor.pi"),
    critic_hidden_dims: hiddenOf(file, "critic.v"),
    vae_hidden_dims: hiddenOf(file, "vae.d"),
    normalize_states: false,
  });
}

/** Widths of the hidden layers `PREFIX1`, `PREFIX2` …, from the arrays themselves. */
function hiddenOf(file: ReferenceFile, prefix: string): number[] {
  const arrays = arraysUnder(file, `initial.${prefix}`);
  const weights = Object.entries(arrays)
    .map(([name, { shape }]) => ({ layer: /^(\d+)\.weight$/.exec(name)?.[1], shape }))
    .filter(({ layer, shape }) => layer !== undefined && shape.length === 2)
    .sort((a, b) => Number(a.layer) - Number(b.layer));
  if (weights.length < 2) throw badFile(file, `holds no layers 'initial.${prefix}1.weight' …`);
  return weights.slice(0, -1).map(({ shape }) => shape[0]!);
}
