import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withLock } from "../../src/engine/install/lock.ts";

let path: string;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), "firstsolo-lock-")), "thing.lock");
});
afterEach(() => rmSync(join(path, ".."), { recursive: true, force: true }));

const holder = (pid: number, host = hostname()) => JSON.stringify({ pid, host, token: "other" });

describe("a lock", () => {
  it("lets one in at a time, and is gone afterwards", async () => {
    let inside = 0;
    let most = 0;
    const work = () =>
      withLock(path, async () => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setTimeout(resolve, 20));
        inside--;
      });
    await Promise.all([work(), work(), work(), work()]);
    expect(most).toBe(1);
    expect(existsSync(path)).toBe(false);
  });

  it("is given back when its holder fails", async () => {
    const fail = withLock(path, () => Promise.reject(new Error("no")));
    await expect(fail).rejects.toThrow("no");
    expect(await withLock(path, async () => "in")).toBe("in");
  });

  it("of a process that is gone is taken over", async () => {
    writeFileSync(path, holder(999_999_999));
    expect(await withLock(path, async () => "in", { patience: 2000 })).toBe("in");
  });

  it("of a process that lives is respected, and the wait has an end that names the file", async () => {
    writeFileSync(path, holder(process.ppid));
    const lines: string[] = [];
    const options = { patience: 400, report: (line: string) => void lines.push(line) };
    const waited = withLock(path, async () => "in", options);
    await expect(waited).rejects.toMatchObject({ code: "lock-timeout" });
    await expect(waited).rejects.toThrow(path);
    expect(lines).toHaveLength(1);
  });

  it("of another machine is taken over only when it has not been heard of for long", async () => {
    writeFileSync(path, holder(1, "elsewhere"));
    const options = { patience: 400, staleAfter: 60_000 };
    await expect(withLock(path, async () => "in", options)).rejects.toThrow(/waited/);
    const old = new Date(Date.now() - 120_000);
    utimesSync(path, old, old);
    expect(await withLock(path, async () => "in", options)).toBe("in");
  });

  it("half written by a killed process is taken over after a while", async () => {
    writeFileSync(path, `{"pid":`);
    const old = new Date(Date.now() - 10_000);
    utimesSync(path, old, old);
    expect(await withLock(path, async () => "in", { patience: 2000 })).toBe("in");
  });

  it("that is stale is broken by one of many at once, who then still go one by one", async () => {
    writeFileSync(path, holder(999_999_999));
    let inside = 0;
    let most = 0;
    const work = () =>
      withLock(path, async () => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setTimeout(resolve, 10));
        inside--;
      });
    await Promise.all(Array.from({ length: 6 }, work));
    expect(most).toBe(1);
  });
});
