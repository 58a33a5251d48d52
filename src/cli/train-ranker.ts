import { join } from "node:path";
import { type Command, Option } from "commander";
import { stringify } from "yaml";
import { sealed } from "../../policies/checkpoint/seal.ts";
import { rankerNamed } from "../../policies/rankers/create-ranker.ts";
import { type EmbeddingKind, embeddingKinds, rankerNames } from "../../policies/rankers/ranker.ts";
import { rankerBytes } from "../algorithms/offline/slates/ranker-file.ts";
import {
  type RankerOrder,
  type TrainedRanker,
  trainRanker,
  usualWeights as weights,
} from "../algorithms/slates/train-ranker.ts";
import { openFlights } from "../datasets/open-flights.ts";
import { compileWith } from "../engine/compile/compile.ts";
import { parseDevice, startEngine } from "../engine/start.ts";
import { openJsonl } from "../metrics/files/jsonl.ts";
import type { Metrics } from "../metrics/metric-sink.ts";
import { writeAtomically } from "../runs/atomic-write.ts";
import { createRun } from "../runs/create-run.ts";
import { warn } from "../training/messages.ts";
import { numberFlag, wholeFlag } from "./number-flag.ts";
import { environmentOf, slateTask } from "./slate-task.ts";

interface Options {
  readonly ranker: string;
  readonly env_name: string;
  readonly dataset: string;
  readonly seed: string;
  readonly epochs: string;
  readonly batch_size: string;
  readonly embeddings?: EmbeddingKind;
  readonly latent_dim?: string;
  readonly kl_weight: string;
  readonly click_weight: string;
  readonly kl_warmup: string;
  readonly device: string;
  readonly threads: string;
  readonly log_root: string;
  readonly json?: boolean;
}

/** Folder of all rankers' runs. */
export const rankerRoot = "logs/rankers";
export const rankerFile = "ranker.pt";

export function registerTrainRanker(program: Command): void {
  program
    .command("train_ranker")
    .description("train a ranker of slates on logged slates and clicks, for agents to act through")
    .requiredOption("--ranker <NAME>", `one of ${rankerNames.join(", ")}`)
    .requiredOption("--env_name <NAME>", "e.g. diffuse_topdown: the slates' environment")
    .requiredOption("--dataset <FILE>", "logged slates, as `firstsolo record` writes them")
    .option("--seed <N>", "of weights, batches and noise", "0")
    .option("--epochs <N>", "times over all logged slates", "10")
    .option("--batch_size <N>", "slates of one step", "256")
    .addOption(
      new Option(
        "--embeddings <KIND>",
        "of the items: learned by the ranker (GeMS: usual), from logged clicks by matrix factorisation (others: usual), or the simulator's own, a privileged reference",
      ).choices([...embeddingKinds]),
    )
    .option("--latent_dim <N>", "width of GeMS's latents (default: 32)")
    .option("--kl_weight <X>", "GeMS: of the latents' distance to N(0, 1)", `${weights.klWeight}`)
    .option("--click_weight <X>", "GeMS: of the clicks in the loss", `${weights.clickWeight}`)
    .option(
      "--kl_warmup <EPOCHS>",
      "GeMS: over which kl_weight grows from 0 to what it is: latents say more of their slates then",
      `${weights.klWarmup}`,
    )
    .option("--device <NAME>", "where TensorFlow computes", "auto")
    .option("--threads <N>", "threads of TensorFlow", "1")
    .option("--log_root <FOLDER>", "folder of all rankers", rankerRoot)
    .option("--json", "one JSON document")
    .action(trainRankerCommand);
}

async function trainRankerCommand(options: Options): Promise<void> {
  const { json, device, threads, dataset, log_root } = options;
  const order = orderOf(options);
  await startEngine(parseDevice(device).device, { threads: wholeFlag("--threads", threads), warn });
  const say = json ? () => {} : (line: string) => console.log(line);
  const { trained, checkpoint } = await makeRanker(order, { dataset, log_root, say });
  const figures = { ...figuresOf(trained), checkpoint };
  console.log(json ? JSON.stringify(figures) : describe(trained, checkpoint));
  trained.ranker.dispose();
}

interface Place {
  readonly dataset: string;
  readonly log_root: string;
  readonly say: (line: string) => void;
}

/** Trains a ranker into a folder of its own; the engine runs. */
export async function makeRanker(order: RankerOrder, { dataset, log_root, say }: Place) {
  const flights = await openFlights(dataset);
  try {
    const agentYaml = stringify({ ...order, dataset: flights.path });
    const experiment_name = rankerFolder(order);
    const run = await createRun({ log_root, experiment_name, run_name: "" }, { agentYaml });
    const rows = await openJsonl({ folder: run.path, onFailure: warn });
    const onEpoch = (epoch: number, figures: Metrics) => {
      const named = Object.entries(figures).map(([name, value]) => [`Loss/${name}`, value]);
      rows.write(epoch, Object.fromEntries(named));
      say(epochText(epoch, order.epochs, figures));
    };
    const compile = compileWith("on");
    const trained = await trainRanker(flights, order, { compile, onEpoch });
    await rows.close();
    const checkpoint = join(run.path, rankerFile);
    await writeAtomically(checkpoint, sealed(await rankerBytes(trained.ranker)));
    await run.saveSummary(figuresOf(trained));
    return { trained, checkpoint };
  } finally {
    flights.close();
  }
}

/** Below the folder of all rankers. */
export function rankerFolder({ ranker, task }: Pick<RankerOrder, "ranker" | "task">): string {
  return `${environmentOf(task)}_${ranker}`;
}

function orderOf(options: Options): RankerOrder {
  const { env_name, seed, epochs, batch_size, embeddings, latent_dim, kl_warmup } = options;
  return {
    ranker: rankerNamed(options.ranker),
    task: slateTask(env_name),
    seed: wholeFlag("--seed", seed, { least: 0 }),
    epochs: wholeFlag("--epochs", epochs),
    batch: wholeFlag("--batch_size", batch_size),
    embeddings: embeddings ?? null,
    latentWidth: latent_dim === undefined ? null : wholeFlag("--latent_dim", latent_dim),
    klWeight: numberFlag("--kl_weight", options.kl_weight),
    clickWeight: numberFlag("--click_weight", options.click_weight),
    klWarmup: numberFlag("--kl_warmup", kl_warmup),
  };
}

function figuresOf({ ranker, reconstruction, heldOutLosses, turns, heldOut }: TrainedRanker) {
  const { ranker: name, latentWidth, embeddings } = ranker.get_config();
  return {
    ...{ ranker: name, latent_dim: latentWidth, embeddings, turns, held_out_turns: heldOut },
    slot_accuracy: reconstruction.slots,
    mean_slot_accuracy: reconstruction.mean,
    item_recall: reconstruction.recall,
    held_out_losses: heldOutLosses,
  };
}

function epochText(epoch: number, of: number, figures: Metrics): string {
  const told = Object.entries(figures).map(([name, value]) => `${name} ${value.toFixed(4)}`);
  return `epoch ${epoch + 1}/${of}: ${told.join(", ")}`;
}

function describe(trained: TrainedRanker, checkpoint: string): string {
  const { reconstruction, turns, heldOut, ranker } = trained;
  const { ranker: name, latentWidth, embeddings, dataset } = ranker.get_config();
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return [
    `${name}: latents of ${latentWidth} numbers, embeddings ${embeddings}, from ${turns} slates of ${dataset}`,
    `reconstruction of ${heldOut} slates held out, by slot: ${reconstruction.slots.map(percent).join(", ")}`,
    `  mean ${percent(reconstruction.mean)}; items that come back in any slot: ${percent(reconstruction.recall)}`,
    checkpoint,
  ].join("\n");
}
