/** Students of both sides as shares of their teacher, by one judge: rsl_rl's own model over the same episodes. */
import { shippedTeacher } from "../src/algorithms/distillation/shipped-teacher.ts";
import { askOnFleet, type Judgement } from "./fleet.ts";

export interface Crew {
  readonly task: string;
  /** `gru`; null: an MLP. */
  readonly rnnType: string | null;
}

/** Of a recurrent student. */
export const rnnWidth = 128;

/** What rsl_rl's side is told of who flies. */
export function crewOf({ task, rnnType }: Crew) {
  return { teacher: shippedTeacher(task), rnn_type: rnnType, rnn_hidden_dim: rnnWidth };
}

/** One for each checkpoint, in rsl_rl's layout as both sides write it: 100 greedy episodes each. */
export async function sharesOf(
  python: string,
  crew: Crew,
  checkpoints: readonly string[],
): Promise<readonly number[]> {
  const order = { ...crewOf(crew), seed: 1000, episodes_each: 1, checkpoints };
  const judged = await askOnFleet<Judgement>(python, "judge_students", {
    task: crew.task,
    order,
    seconds: 900,
  });
  return judged.student_returns.map((reached) => reached / judged.teacher_return);
}
