/** The thread in which files of others are read: it answers one question after the other, and can be ended. */
import { readFileSync } from "node:fs";
import { receiveMessageOnPort, workerData } from "node:worker_threads";
import { DatasetError } from "./dataset-error.ts";
import { hdf5, isBroken, keepWithin, noteTrap } from "./hdf5-library.ts";
import {
  ANSWERED,
  type Answer,
  ASKED,
  type Asks,
  GONE,
  type Question,
  type ReadingOrder,
  THREAD,
} from "./hdf5-questions.ts";
import { Hdf5Within } from "./hdf5-within.ts";

const { numbers, rows, port } = workerData as ReadingOrder;
const files = new Map<number, Hdf5Within>();

type Answers = {
  readonly [N in keyof Asks]: (file: Hdf5Within, argument: Asks[N][0]) => Asks[N][1];
};
const answers: Omit<Answers, "open"> = {
  names: (file, group) => file.names(group),
  kindOf: (file, path) => file.kindOf(path),
  table: (file, path) => file.table(path),
  tables: (file, { paths, whole }) => paths.map((path) => file.table(path, whole)),
  attribute: (file, { path, name }) => file.attribute(path, name),
  bring: (file, { table, ...wanted }) => {
    const bytes = file.bring(table, wanted);
    file.staged(0, rows);
    return bytes;
  },
  more: (file, from) => {
    file.staged(from, rows);
    return undefined;
  },
  close: (file) => {
    file.close();
    return undefined;
  },
};

Atomics.store(numbers, THREAD, ownNumber());
// Whoever asks waits without an event loop: of an end it hears in this way alone.
process.on("exit", () => {
  Atomics.store(numbers, ANSWERED, GONE);
  Atomics.notify(numbers, ANSWERED);
});
// Compiling is nothing that keeps a thread alive: one that has nothing else to do may end in the midst of it.
const busy = setInterval(() => {}, 1000);
// Loaded before anything is asked: that is no file's fault.
const library = await hdf5();
clearInterval(busy);
// It waits as the other one does: through two event loops an answer takes twice as long.
for (let asked = 0; ; asked += 1) {
  // It may be woken by the bell for the question before, rung late.
  while (Atomics.load(numbers, ASKED) === asked) Atomics.wait(numbers, ASKED, asked);
  const question = receiveMessageOnPort(port)!.message as Question;
  port.postMessage(answered(question));
  Atomics.store(numbers, ANSWERED, question.number);
  Atomics.notify(numbers, ANSWERED);
}

function answered(question: Question): Answer {
  try {
    const value = answerTo(question);
    return { value, broken: isBroken() };
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof DatasetError) {
      return { message, code: error.code, hint: error.hint, broken: isBroken() };
    }
    if (!noteTrap(error)) return { message, broken: isBroken() };
    const hint = "The file is damaged, or torn; copy or record it again.";
    const what = `HDF5's library gave up reading it: ${message}`;
    return { message: what, code: "unreadable", hint, broken: true };
  }
}

function answerTo({ file, name, argument }: Question): unknown {
  if (name === "open") {
    const { path, ...options } = argument as Asks["open"][0];
    // A chunk is unpacked into memory that is doubled as it fills, and lies beside what it was packed in.
    keepWithin((256 << 20) + 4 * options.chunkLimit);
    const opened = new Hdf5Within(path, library, options);
    files.set(file, opened);
    return { bytes: opened.bytes, identity: opened.identity };
  }
  const asked = files.get(file);
  if (name === "close") files.delete(file);
  if (asked === undefined) return undefined;
  return answers[name](asked, argument as never);
}

/** Under which the system counts this thread's processor time; 0 where there is no /proc. */
function ownNumber(): number {
  try {
    return Number.parseInt(readFileSync("/proc/thread-self/stat", "utf8"), 10);
  } catch {
    return 0;
  }
}
