import { FlowMeter } from "../flow-meter.ts";
import type { Learner, LearnerState } from "../learner.ts";
import type { Answer, Question } from "./calls.ts";
import { toCarried } from "./carried-error.ts";
import type { Learned, LearnerCalls, Port, UpdateOrder } from "./port.ts";

/** Gives a learner to whoever asks at a port; `make`: from the order that comes first. */
export function serveLearner(port: Port, make: (order: unknown) => Promise<Learner>): void {
  let made: Promise<Learner> | undefined;
  const doing: Doing = {
    make: async (order) => {
      made = make(order);
      await made;
    },
    update: async (order) => update(await made!, order),
    load: async (state) => load(await made!, state),
    save: async () => (await made!).save(),
  };
  let turn = Promise.resolve();
  port.on("message", (message) => {
    turn = turn.then(() => answer(port, message as Question, doing));
  });
}

type Doing = {
  readonly [N in keyof LearnerCalls]: (argument: LearnerCalls[N][0]) => Promise<LearnerCalls[N][1]>;
};

async function answer(port: Port, { id, name, argument }: Question, doing: Doing): Promise<void> {
  let said: Answer;
  try {
    said = { id, value: await doing[name](argument as never) };
  } catch (error) {
    said = { id, error: toCarried(error) };
  }
  port.postMessage(said, []);
}

async function update(learner: Learner, order: UpdateOrder): Promise<Learned> {
  const { experience, stage, measured } = order;
  const start = performance.now();
  const meter =
    measured === undefined ? undefined : new FlowMeter(learner.groups, { most: measured });
  try {
    const metrics = await learner.update(experience, stage, meter);
    const rows = (await meter?.rows()) ?? [];
    const seconds = (performance.now() - start) / 1000;
    return { metrics, rows, seconds, acting: await learner.acting!.give() };
  } finally {
    meter?.dispose();
  }
}

async function load(learner: Learner, state: LearnerState): Promise<Learned> {
  learner.load(state);
  return { metrics: {}, rows: [], seconds: 0, acting: await learner.acting!.give() };
}
