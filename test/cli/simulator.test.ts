import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pythonEnv } from "../python-env.ts";
import { humanError, openHangar, rowsOf, saying, small } from "./flights.ts";

const { train, run, start, work } = openHangar();
const local = (name: string) => `ipc://${join(work, name)}`;

describe("the simulator of our own, killed in flight,", () => {
  it("and not to be started again, ends the run with a checkpoint that it goes on from", async () => {
    const once = ["--sim_restarts", "0"];
    const lost = await train([...small, ...once, "--max_iterations", "10000"], {
      onRow: ({ iteration }, _, events) => {
        const pid = Number(/process (\d+)/.exec(String(events[0]?.simulator))?.[1]);
        if (iteration === 2) process.kill(pid, "SIGKILL");
      },
    });
    expect(lost.code).toBe(3);
    expect(lost.stderr).toMatch(humanError);
    expect(lost.stderr).toContain("the built-in simulator ended with SIGKILL");
    expect(lost.stderr).toContain(`train --resume ${lost.run}`);
    const at = { type: "simulator-lost", iteration: lost.rows.length };
    expect(lost.events.at(-1)).toMatchObject(at);
    const end = String(lost.rows.length + 3);
    const next = await train(["--resume", lost.run, "--max_iterations", end]);
    expect([next.code, next.rows.length]).toEqual([0, 3]);
    expect(rowsOf(lost.run).map(({ iteration }) => iteration)).toEqual([
      ...Array(Number(end)).keys(),
    ]);
  });
});

describe("a simulator in a process of its own", () => {
  const endpoint = local("sim.ipc");

  it("is waited for, serves one runner after the other, and ends a run when it dies", async () => {
    const first = train([...small, "--sim", endpoint], {
      onStderr: (text) => {
        if (/waiting for .* to answer hello/.test(text)) open();
      },
    });
    let open = () => {};
    const sim = await new Promise<ReturnType<typeof start>>((resolve) => {
      open = () => resolve(start("sim", "--num_envs", "12", "--bind", endpoint));
    });
    const early = await first;
    expect([early.code, early.rows.length]).toEqual([0, 6]);

    const odd = await run("train", ...small, "--sim", endpoint, "--num_envs", "20");
    expect(odd.code).toBe(3);
    expect(odd.stderr).toMatch(/20 environments were asked for, the simulator has 12/);

    let second: ReturnType<typeof train> | undefined;
    const holder = await train([...small, "--max_iterations", "10000", "--sim", endpoint], {
      onRow: ({ iteration }, runner) => {
        if (iteration !== 1) return;
        const onStderr = (text: string) =>
          void (text.includes("another session drives") && runner.kill("SIGINT"));
        second = train([...small, "--sim", endpoint], { onStderr });
      },
    });
    expect(holder.code).toBe(130);
    const waited = await second!;
    expect([waited.code, waited.rows.length]).toEqual([0, 6]);

    const patience = ["--sim_wait", "1"];
    const lost = await train(
      [...small, ...patience, "--max_iterations", "10000", "--sim", endpoint],
      {
        onRow: ({ iteration }) => void (iteration === 1 && sim.kill("SIGKILL")),
      },
    );
    expect(lost.code).toBe(3);
    expect(lost.stderr).toMatch(/the simulator at ipc:.* is lost/);
    expect(lost.stderr).toContain(`train --resume ${lost.run}`);
  });

  it("dials out to a runner that listens", async () => {
    const sims: ReturnType<typeof start>[] = [];
    const listening = await train([...small, "--sim", "tcp://127.0.0.1:*", "--listen"], {
      onStderr: (text) => {
        const address = /dial (tcp:\/\/127\.0\.0\.1:\d+)/.exec(text)?.[1];
        if (address && sims.length === 0) sims.push(start("sim", "--connect", address, "--once"));
      },
    });
    expect([listening.code, listening.rows.length]).toEqual([0, 6]);
  });
});

describe("a simulator behind CURVE keys", () => {
  it("lets in who has the key, and tells others so", async () => {
    const make =
      "import os, sys, zmq.auth\nos.umask(0o077)\nfor who in sys.argv[2:]: zmq.auth.create_certificates(sys.argv[1], who)";
    execFileSync(await pythonEnv(), ["-c", make, work, "sim", "friend", "stranger"]);
    const key = (name: string) => join(work, name);
    const own = ["--curve_server_key_file", key("sim.key_secret")];
    const guest = ["--curve_client_key_file", key("friend.key")];
    const sim = start("sim", "--num_envs", "12", "--bind", "tcp://127.0.0.1:*", ...own, ...guest);
    const address = /tcp:\/\/127\.0\.0\.1:\d+/.exec(await saying(sim, /ready at tcp.*\n/))![0];
    const as = (who: string) => [
      ...small,
      ...["--sim", address, "sim.startup_timeout=20"],
      ...[`sim.curve_server_key_file=${key("sim.key")}`, `sim.curve_client_key_file=${key(who)}`],
    ];
    const friend = await train(as("friend.key_secret"));
    expect([friend.code, friend.rows.length]).toEqual([0, 6]);
    const stranger = await run("train", ...as("stranger.key_secret"));
    expect(stranger.code).toBe(3);
    expect(stranger.stderr).toMatch(/does not let this client in/);
    sim.kill("SIGTERM");
  });
});
