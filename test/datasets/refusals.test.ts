import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openFlights } from "../../src/datasets/open-flights.ts";
import { ReadingThread } from "../../src/datasets/reading-thread.ts";
import { flightStatistics } from "../../src/datasets/statistics.ts";
import { Transitions } from "../../src/datasets/transitions.ts";
import { type FlightFiles, makeFlightFiles, withFlights } from "./flight-files.ts";

let files: FlightFiles;
beforeAll(async () => {
  files = await makeFlightFiles();
});
afterAll(() => files.remove());

/** Opens a file and reads all of it. */
const readAll = (name: string) =>
  withFlights(files.path(name), (flights) => flightStatistics(flights));

describe("What can't be learned from is refused, by name", () => {
  it.each([
    ["no-terminals.hdf5", "missing-array", "terminals; at the top: actions, infos, metadata, obs"],
    ["short-actions.hdf5", "lengths-disagree", "actions 9, terminals 16"],
    ["short-episode.hdf5", "lengths-disagree", "episode_0 has 5 rewards, 5 actions and 9 obs"],
    ["wide-rewards.hdf5", "wrong-width", "rewards has rows of 2 numbers, expected 1"],
    ["odd-episode.hdf5", "wrong-width", "episode_1/observations has rows of 4 numbers, expected 3"],
    ["text-actions.hdf5", "not-numbers", "actions holds text"],
    ["nan-observation.hdf5", "not-finite", "policy of episode 1, step 2, component 1 is NaN"],
    ["inf-action.hdf5", "not-finite", "actions of episode 0, step 2, component 0 is Infinity"],
    ["nan-reward.hdf5", "not-finite", "rewards of episode 1, step 1, component 0 is NaN"],
    ["unknown.hdf5", "unknown-layout", "at the top: labels, trajectories"],
    ["nothing.hdf5", "no-flights", "holds nothing"],
    ["no-steps.hdf5", "no-flights", "no step"],
    ["d4rl-lzf.hdf5", "unknown-compression", "compressed by lzf"],
    ["empty.hdf5", "empty-file", "0 bytes"],
    ["pointer.hdf5", "not-hdf5", "git-lfs"],
    ["pickle.hdf5", "not-hdf5", "pickle"],
    ["arrays.npz", "not-hdf5", ".npz"],
    ["torn.hdf5", "torn-file", "has 30000 bytes and says that it ends at"],
    ["damaged.hdf5", "unreadable", "observations: rows 0 to"],
    ["absent.hdf5", "not-found", "is not there"],
    ["plain/nowhere", "not-found", "is not there"],
  ])("%s: %s, %s", async (name, code, text) => {
    const error = await readAll(name).catch((thrown) => thrown);
    expect(error).toMatchObject({ name: "DatasetError", code });
    expect(error.message).toContain(text);
    expect(error.message).toContain(files.path(name));
    expect(error.hint.length).toBeGreaterThan(10);
  });

  it("a group or a note that is not there, with those that are", () =>
    withFlights(files.path("d4rl.hdf5"), (flights) => {
      const make = (needs: { groups: string[]; notes: string[] }) => () =>
        new Transitions(flights, { successors: [], ...needs }, { batch: 2, seed: 1 });
      expect(make({ groups: ["image"], notes: [] })).toThrow(
        /no observation group image; .*policy/,
      );
      expect(make({ groups: [], notes: ["noise"] })).toThrow(/no note noise; .*teacher_actions/);
    }));

  it("a file that another one took the place of", async () => {
    const path = files.path("replaced.hdf5");
    copyFileSync(files.path("plain/data/main_data.hdf5"), path);
    await withFlights(path, (flights) => {
      writeFileSync(path, "something else");
      const again = () => {
        for (let i = 0; i < 300; i += 1) flightStatistics(flights, { episodes: [i % 3] });
      };
      expect(again).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/changed|unreadable|missing/) }),
      );
    });
  });
});

/** A byte of a text's heap was changed: the library looks for its next part for ever. */
const endless = join(import.meta.dirname, "../data/fuzz/datasets-d483d82aca6c.bin");

describe("A file that is made to harm", () => {
  it.each([
    ["endless.hdf5", "implausible-size"],
    ["huge-chunk.hdf5", "chunk-too-large"],
    ["soft-link.hdf5", "link"],
    ["external-link.hdf5", "link"],
    ["external-data.hdf5", "link"],
    ["virtual.hdf5", "link"],
  ])("%s is refused at once, as %s", async (name, code) => {
    const before = process.memoryUsage().rss;
    const began = performance.now();
    await expect(readAll(name)).rejects.toMatchObject({ code });
    expect(performance.now() - began).toBeLessThan(5000);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 << 20);
  });

  it("and keeps the library busy for ever is ended, named, and spoils no other that is open", async () => {
    const other = await openFlights(files.path("d4rl.hdf5"));
    copyFileSync(endless, files.path("loop.hdf5"));
    const opening = openFlights(files.path("loop.hdf5"), { patience: 0.3 });
    await expect(opening).rejects.toMatchObject({
      code: "endless",
      message: expect.stringMatching(/loop\.hdf5: reading \w+ of the top came to no end in 0\.3 s/),
      hint: expect.stringContaining("copy, download or record it again"),
    });
    expect(flightStatistics(other).actions.count).toBe(16);
    other.close();
  });

  it("and ends the thread that reads is named at once; what else is open is read in a new one", async () => {
    const other = await openFlights(files.path("d4rl.hdf5"));
    const thread = ReadingThread.current();
    // A function can't cross to another thread: the one that answers with some ends.
    const deadly = (file: number) => {
      const options = { file, seconds: 60, what: "reading it" };
      thread.ask("valueOf" as never, undefined as never, options);
    };
    const all = () => Array.from({ length: 500 }, (_, file) => deadly(file));
    const began = performance.now();
    expect(all).toThrow(expect.objectContaining({ code: "ended" }));
    expect(performance.now() - began).toBeLessThan(5000);
    expect(thread.ended).toBe(true);
    expect(flightStatistics(other).actions.count).toBe(16);
    other.close();
  });

  it("gets nothing printed by the library", async () => {
    const write = vi.spyOn(process.stderr, "write");
    const log = vi.spyOn(console, "error");
    await readAll("damaged.hdf5").catch(() => undefined);
    await readAll("d4rl-lzf.hdf5").catch(() => undefined);
    expect(write).not.toHaveBeenCalled();
    expect(log).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });

  it("does not spoil the next one", async () => {
    await expect(readAll("external-data.hdf5")).rejects.toThrow();
    expect((await readAll("d4rl.hdf5")).steps).toBe(16);
  });

  it("is refused, never a crash, wherever it is cut or a byte of it is changed", async () => {
    const { readFileSync } = await import("node:fs");
    const good = readFileSync(files.path("d4rl.hdf5"));
    const path = files.path("mutant.hdf5");
    let refused = 0;
    for (let at = 0; at < good.length; at += 41) {
      const mutant = Buffer.from(good);
      mutant[at] = mutant[at]! ^ 0xff;
      writeFileSync(path, at % 2 === 0 ? mutant : good.subarray(0, at));
      const error = await readAll("mutant.hdf5").catch((thrown) => thrown);
      if (!(error instanceof Error)) continue;
      refused += 1;
      expect(error).toMatchObject({ name: "DatasetError" });
    }
    expect(refused).toBeGreaterThan(100);
  });

  it("has to be closed", async () => {
    const flights = await openFlights(files.path("d4rl.hdf5"));
    flights.close();
    flights.close();
    expect(() => flightStatistics(flights)).toThrow(/has been closed/);
  });
});
