import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { callFrom, howToCall } from "../../src/disk/how-to-call.ts";

let folder = "";
let program = "";
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "firstsolo-call-")));
  program = join(folder, "clone/src/cli/firstsolo.mjs");
  mkdirSync(dirname(program), { recursive: true });
  writeFileSync(program, "#!/usr/bin/env node\nconsole.log(process.argv.slice(2).join('|'))", {
    mode: 0o755,
  });
  writeFileSync(join(folder, "clone/package.json"), "{}");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function link(path: string): string {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  symlinkSync(program, join(folder, path));
  return dirname(join(folder, path));
}

const call = (cwd: string, env: Record<string, string> = {}) =>
  callFrom({ env: { PATH: "/nowhere", ...env }, cwd: join(folder, cwd), program }, ["doctor"]);

describe("the program is called", () => {
  it("by its name where that is on the PATH, from any folder", () => {
    const bin = link("prefix/bin/firstsolo");
    expect(call("", { PATH: `/nowhere:${bin}` })).toBe("firstsolo doctor");
    expect(call("clone", { PATH: `${bin}:` })).toBe("firstsolo doctor");
    expect(call("", { npm_config_global: "true" })).toBe("firstsolo doctor");
  });

  it("by npx in a clone and in its folders, though npx puts a name on the PATH", () => {
    const bin = link("clone/node_modules/.bin/firstsolo");
    expect(call("clone", { PATH: bin })).toBe("npx firstsolo doctor");
    expect(call("clone/src/cli", { PATH: bin })).toBe("npx firstsolo doctor");
    rmSync(bin, { recursive: true });
    expect(call("clone")).toBe("npx firstsolo doctor");
    expect(call("clone/src")).toBe("npx firstsolo doctor");
  });

  it("by npx in a project that depends on it", () => {
    link("project/node_modules/.bin/firstsolo");
    mkdirSync(join(folder, "project/deep/er"), { recursive: true });
    expect(call("project/deep/er")).toBe("npx firstsolo doctor");
  });

  it("by its path elsewhere, also where another program has the name", () => {
    mkdirSync(join(folder, "other"));
    writeFileSync(join(folder, "other/firstsolo"), "");
    const env = { PATH: join(folder, "other") };
    expect(call("other", env)).toBe("node ../clone/src/cli/firstsolo.mjs doctor");
    expect(callFrom({ env, cwd: "/", program }, [])).toBe(`node ${program.slice(1)}`);
  });
});

it("what is printed works when a shell reads it, whatever the path holds", () => {
  for (const path of ["logs/a b", "it's", "$HOME", "~", "a;b", "", "ü", 'q"', "-x=1"]) {
    const line = callFrom({ env: {}, cwd: folder, program }, ["train", "--resume", path]);
    const said = execFileSync("sh", ["-c", line], { cwd: folder, encoding: "utf8" });
    expect(said).toBe(`train|--resume|${path}\n`);
  }
});

it("here it is npx or the name", () => {
  expect(howToCall("tasks")).toMatch(/^(npx )?firstsolo tasks$/);
});
