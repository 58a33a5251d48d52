/** Whole runs: how long, how good, how much memory. */
import { type Bench, type Figure, missing, type Row } from "./report.ts";
import { median } from "./timing.ts";
import { processFigures, type Sample, type Training, trainWatched } from "./training.ts";

/** MB (10⁶ bytes) that no run with 1000 environments may exceed. */
const limits = { runner: 1024 * 1.048576, simulator: 300 } as const;

export const flightBench: Bench = {
  title: "run: `firstsolo train`, runner and simulator in two processes",
  run: async ({ seeds, say }) => {
    const rows: Row[] = [];
    for (const seed of seeds) {
      const what = `npm start, seed ${seed}`;
      say(what);
      rows.push(await attempt(what, ["--task", "distillation", "--seed", String(seed)], whole));
    }
    const short = ["--max_iterations", "20", "--phase1_iterations", "10"];
    say("N = 1000, 20 iterations");
    const wide = ["--num_envs", "1000", ...short, "evaluation.final_episodes=0"];
    rows.push(await attempt("N = 1000, 20 iterations", wide, partly));
    return rows;
  },
};

const longRun = 6000;

/**
 * A long run with little work in each iteration: what leaks does so per iteration or step. Three
 * times the 2000 iterations that nothing may grow in, since buffers outside the heap are only given
 * back when a rare full collection comes.
 */
export const memoryBench: Bench = {
  title: `memory: resident MB over ${longRun} iterations (100 environments × 8 steps)`,
  run: async ({ say }) => {
    const small = ["--num_steps_per_env", "8", "algorithm.num_learning_epochs=1"];
    const args = ["--max_iterations", String(longRun), ...small, "evaluation.final_episodes=0"];
    say(`${longRun} iterations`);
    try {
      const { samples } = await trainWatched(args, { seconds: 900 });
      if (samples.length === 0) throw new Error("this system has no /proc");
      return (["runner", "simulator"] as const).map((which) => growth(which, samples));
    } catch (error) {
      return [missing(`${longRun} iterations`, error)];
    }
  },
};

function growth(which: "runner" | "simulator", samples: readonly Sample[]): Row {
  const around = (iteration: number) =>
    median(
      samples
        .filter((sample) => Math.abs(sample.iteration - iteration) <= 100)
        .map((sample) => sample[which].resident),
    );
  const [early, late] = [around(200), around(longRun)];
  return {
    what: which,
    figures: {
      "at 200, MB": early,
      "at 2000, MB": around(2000),
      [`at ${longRun}, MB`]: late,
      "last / first": late / early,
      "peak MB": Math.max(...samples.map((sample) => sample[which].peak)),
    },
  };
}

async function attempt(
  what: string,
  args: readonly string[],
  figures: (training: Training) => Record<string, Figure>,
): Promise<Row> {
  try {
    const training = await trainWatched(args, { seconds: 300 });
    return {
      what,
      figures: { ...figures(training), ...processFigures(training) },
      ...warn(training),
    };
  } catch (error) {
    return missing(what, error);
  }
}

function whole({ summary, wallSeconds }: Training): Record<string, Figure> {
  return {
    "wall s": wallSeconds,
    "loop s": summary.seconds,
    "steps/s": Math.round(summary.environment_steps / summary.seconds),
    "student / teacher": summary.student_vs_teacher?.toFixed(4) ?? "unknown",
    episodes: summary.episodes,
  };
}

/** Too short for its student to be worth a figure. */
function partly({ summary, wallSeconds }: Training): Record<string, Figure> {
  const rate = Math.round(summary.environment_steps / summary.seconds);
  return { "wall s": wallSeconds, "loop s": summary.seconds, "steps/s": rate };
}

function warn(training: Training): { note?: string } {
  const over = (["runner", "simulator"] as const).filter((which) =>
    training.samples.some((sample) => sample[which].peak > limits[which]),
  );
  const named = over.map((which) => `${which} above ${Math.round(limits[which])} MB`);
  return over.length === 0 ? {} : { note: named.join(", ") };
}
