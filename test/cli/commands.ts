import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const mark = "\u241e end of a command \u241e\n";

/** What a command left when it had ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandServerOptions {
  /** `main.js` of a compiled program. */
  readonly main: string;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * The program as one process that runs command after command, for those that no test touches while they run.
 * One at a time; a command that takes the process with it is answered as a process is that ends, and the
 * next one gets a new one.
 */
export class CommandServer {
  readonly #options: CommandServerOptions;
  #child: ChildProcess | undefined;
  #isBusy = false;

  constructor(options: CommandServerOptions) {
    this.#options = options;
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** @throws while another command runs */
  async run(words: readonly string[]): Promise<Ended> {
    if (this.#isBusy) throw new Error(`a command runs already; got ${words.join(" ")}`);
    this.#isBusy = true;
    try {
      this.#child ??= await this.#start();
      return await answer(this.#child, words);
    } finally {
      if (this.#child?.exitCode !== null || this.#child.signalCode !== null)
        this.#child = undefined;
      this.#isBusy = false;
    }
  }

  close(): void {
    this.#child?.kill("SIGKILL");
  }

  async #start(): Promise<ChildProcess> {
    const { main, cwd, env } = this.#options;
    const server = join(import.meta.dirname, "command-server.mjs");
    const child = fork(server, [main, mark], {
      cwd,
      env,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    await once(child, "message");
    return child;
  }
}

function answer(child: ChildProcess, words: readonly string[]): Promise<Ended> {
  const said = { stdout: "", stderr: "" };
  const names = ["stdout", "stderr"] as const;
  let code: number | undefined;
  return new Promise((resolve) => {
    const read = { stdout: take("stdout"), stderr: take("stderr") };
    for (const name of names) child[name]?.on("data", read[name]);
    child.once("message", (value: number) => {
      code = value;
      look();
    });
    child.once("close", gone);
    child.send(words);

    function take(name: "stdout" | "stderr") {
      return (data: Buffer) => {
        said[name] += data;
        look();
      };
    }
    function look(): void {
      if (code === undefined || !names.every((name) => said[name].endsWith(mark))) return;
      const [stdout, stderr] = names.map((name) => said[name].slice(0, -mark.length));
      end({ code, signal: null, stdout: stdout ?? "", stderr: stderr ?? "" });
    }
    function gone(status: number | null, signal: NodeJS.Signals | null): void {
      end({ code: status, signal, ...said });
    }
    function end(how: Ended): void {
      for (const name of names) child[name]?.off("data", read[name]);
      child.off("close", gone);
      resolve(how);
    }
  });
}
