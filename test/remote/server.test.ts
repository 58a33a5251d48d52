import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { encodeMessage } from "../../protocol/codec.ts";
import { protocolVersion } from "../../protocol/limits.ts";
import { encodeRequest, type Request } from "../../protocol/messages.ts";
import { SessionOrder } from "../../sim-adapters/serve/session-order.ts";
import fc from "../properties.ts";
import { connect, nodeServer, pythonServer, RawClient } from "./servers.ts";

const hello = (session: string, seq = 1): Request => ({
  type: "hello",
  seq,
  session,
  protocol: protocolVersion,
  client: { name: "test", version: "1" },
  capabilities: [],
  settings: {},
});
const step = (seq: number, session = "aaaaaaaa"): Request => ({ type: "step", seq, session });
const actions = { actions: { shape: [8, 1], data: new Float32Array(8).fill(1) } };
const bytesOf = (frames: Uint8Array[]) => frames.map((frame) => Buffer.from(frame).toString("hex"));

describe.each([
  ["in Node", nodeServer],
  ["in Python", pythonServer],
] as const)("a server %s", (_, start) => {
  const raw = async () => new RawClient((await start()).endpoint);

  it("sends the same bytes again for the same request and carries it out once", async () => {
    const client = await raw();
    await client.ask(hello("aaaaaaaa"));
    await client.ask({ type: "reset", seq: 2, session: "aaaaaaaa", seed: 3 });
    const first = await client.ask(step(3), actions);
    const again = await client.ask(step(3), actions);
    expect(bytesOf(again.frames)).toEqual(bytesOf(first.frames));
    const next = await client.ask(step(4), actions);
    const speed = (reply: typeof first) => (reply.tensors["obs/policy"]!.data as Float32Array)[1]!;
    expect(speed(next)).toBeCloseTo(2 * speed(first), 5);
  });

  it("answers a number of before, and one too high, with an error and goes on", async () => {
    const client = await raw();
    await client.ask(hello("aaaaaaaa"));
    await client.ask({ type: "reset", seq: 2, session: "aaaaaaaa", seed: 3 });
    const stale = await client.ask(hello("aaaaaaaa"));
    expect(stale.header).toMatchObject({ type: "error", code: "stale-sequence", seq: 1 });
    const gap = await client.ask(step(4), actions);
    expect(gap.header).toMatchObject({ type: "error", code: "sequence-gap", seq: 4, fatal: false });
    expect((await client.ask(step(3), actions)).header.type).toBe("result");
  });

  it("lets one session drive, and the next after it has closed", async () => {
    const client = await raw();
    await client.ask(hello("aaaaaaaa"));
    const busy = await client.ask(hello("bbbbbbbb"));
    expect(busy.header).toMatchObject({ type: "error", code: "busy", retryable: true });
    const stranger = await client.ask(step(2, "bbbbbbbb"), actions);
    expect(stranger.header).toMatchObject({ code: "unknown-session", fatal: true });
    const closed = await client.ask({ type: "close", seq: 2, session: "aaaaaaaa" });
    expect(closed.header.type).toBe("closed");
    expect((await client.ask(hello("bbbbbbbb"))).header.type).toBe("welcome");
  });

  it("answers a ping from anyone, at any time", async () => {
    const client = await raw();
    const { header } = await client.ask({ type: "ping", seq: 9 });
    expect(header).toMatchObject({ type: "pong", seq: 9 });
  });

  it("refuses another major version before anything else, and says which it speaks", async () => {
    const client = await raw();
    const later = { ...hello("aaaaaaaa"), protocol: { major: 2, minor: 0 } } as Request;
    const { header } = await client.ask(later);
    expect(header).toMatchObject({
      code: "version-mismatch",
      fatal: true,
      protocol: protocolVersion,
    });
  });

  it("accepts another minor version", async () => {
    const client = await raw();
    const later = { ...hello("aaaaaaaa"), protocol: { major: 1, minor: 7 } } as Request;
    expect((await client.ask(later)).header.type).toBe("welcome");
  });

  it.each([
    [
      "actions of the wrong width",
      { actions: { shape: [8, 2], data: new Float32Array(16) } },
      "bad-tensor",
    ],
    ["no actions", {}, "bad-tensor"],
    [
      "actions that are not finite",
      { actions: { shape: [8, 1], data: new Float32Array(8).fill(NaN) } },
      "bad-value",
    ],
  ])("answers %s with an error that uses the number up", async (_name, sent, code) => {
    const client = await raw();
    await client.ask(hello("aaaaaaaa"));
    await client.ask({ type: "reset", seq: 2, session: "aaaaaaaa", seed: 0 });
    const refused = await client.ask(step(3), sent);
    expect(refused.header).toMatchObject({ type: "error", code, field: "tensors.actions" });
    expect((await client.ask(step(4), actions)).header.type).toBe("result");
  });

  it("answers whatever is malformed with an error and never stops serving", async () => {
    const client = await raw();
    await client.ask(hello("aaaaaaaa"));
    const good = encodeRequest(step(2), actions);
    const broken = fc.sample(
      fc.oneof(
        fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 3 }),
        fc.nat(good[0]!.length - 1).map((end) => [good[0]!.subarray(0, end), good[1]!]),
        fc.object({ maxDepth: 2 }).map((junk) => encodeOr({ ...step(2), ...junk, type: "fly" })),
      ),
      300,
    );
    const large = [Buffer.alloc(70_000, 0x81)];
    const many = Array.from({ length: 80 }, () => new Uint8Array(1));
    for (const frames of [...broken, large, many]) {
      const { header } = await client.say(frames);
      expect(header.type).toBe("error");
      if (header.type !== "error") continue;
      expect(["malformed", "unknown-type", "too-large"]).toContain(header.code);
      expect(header.field).not.toBe("");
    }
    expect(
      (await client.ask({ type: "reset", seq: 2, session: "aaaaaaaa", seed: 0 })).header.type,
    ).toBe("frame");
  });
});

/** Junk that cannot even be sent is replaced by one byte. */
function encodeOr(header: object): Uint8Array[] {
  try {
    return encodeMessage(header);
  } catch {
    return [Uint8Array.of(0xc1)];
  }
}

describe("a Python server", () => {
  it.each([
    [
      "a setting it does not know",
      { settings: { "start.sprea": 1 } },
      "unknown-setting",
      "Did you mean env.start.spread?",
    ],
    ["a group it does not have", { groups: ["camera"] }, "unknown-group", "policy, exact"],
  ])("refuses %s, with what there is, and lives on", async (_, wanted, code, hint) => {
    const { endpoint } = await pythonServer();
    const attempt = connect({ endpoint, ...wanted });
    await expect(attempt).rejects.toMatchObject({ code, hint: expect.stringContaining(hint) });
    const env = await connect({ endpoint, groups: ["policy"] });
    expect(Object.keys((await env.reset(0)).observations)).toEqual(["policy"]);
  });

  it("ends on Ctrl-C, and with --once after its first session", async () => {
    const first = await pythonServer();
    first.child.kill("SIGINT");
    expect(await first.exited).toBe("the simulator ended (0)");
    const second = await pythonServer("--once");
    const env = await connect({ endpoint: second.endpoint });
    await env.close();
    expect(await second.exited).toBe("the simulator ended (0)");
  });
});

describe("session order", () => {
  it("lets another session take over after thirty seconds of silence, but never during work", () => {
    const order = new SessionOrder();
    const judge = (request: Request, now: number) => order.judge(request as never, now).kind;
    order.open({ session: "aaaaaaaa", seq: 1 }, 0);
    expect(judge(hello("bbbbbbbb"), 100)).toBe("refuse");
    order.finish("aaaaaaaa", 1, [], 100);
    expect(judge(hello("bbbbbbbb"), 129)).toBe("refuse");
    order.hear("aaaaaaaa", 129);
    expect(judge(hello("bbbbbbbb"), 158)).toBe("refuse");
    expect(judge(hello("bbbbbbbb"), 160)).toBe("run");
    order.open({ session: "bbbbbbbb", seq: 1 }, 160);
    expect(judge(step(2), 160)).toBe("refuse");
    expect(order.finish("aaaaaaaa", 2, [], 161)).toBe(false);
  });

  it("carries out each number once, in order, whatever is repeated, lost or reordered", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 60 }), (seqs) => {
        const order = new SessionOrder();
        order.open({ session: "aaaaaaaa", seq: 1 }, 0);
        order.finish("aaaaaaaa", 1, [], 0);
        const done = [1];
        for (const seq of seqs) {
          if (order.judge(step(seq) as never, 0).kind !== "run") continue;
          order.begin(seq);
          order.finish("aaaaaaaa", seq, [], 0);
          done.push(seq);
        }
        expect(done).toEqual(done.map((_, i) => i + 1));
      }),
    );
  });
});

describe("the protocol's description", () => {
  const page = readFileSync(join(import.meta.dirname, "../../protocol/README.md"), "utf8");

  it("lists every code an error may have", () => {
    const source = ["env-host.ts", "refusals.ts", "session-order.ts", "serve-error.ts"]
      .map((file) =>
        readFileSync(join(import.meta.dirname, "../../sim-adapters/serve", file), "utf8"),
      )
      .join("\n");
    const codes = [...source.matchAll(/new (?:ServeError|ProtocolError)\(\s*"([a-z-]+)"/g)];
    expect(codes.length).toBeGreaterThan(8);
    for (const [, code] of codes) expect(page).toContain(`\`${code}\``);
  });
});
