import * as z from "zod";
import { decodeMessage, encodeMessage, type Tensors, tensorName } from "./codec.ts";
import { ProtocolError } from "./errors.ts";
import { limits } from "./limits.ts";
import { visibleTree } from "./visible.ts";

/** Headers as they travel, in snake_case; protocol/README.md §4 describes each. Unknown keys are dropped. */

const text = z.string().max(limits.textLength);
const name = z.string().min(1).max(limits.nameLength);
const identity = z.string().regex(/^[A-Za-z0-9_-]{8,64}$/, "expected 8 to 64 of A-Z a-z 0-9 _ -");
const seq = z.int().min(1);
const count = z.int().min(0);
const version = z.object({ major: count, minor: count });
const party = z.object({ name, version: name });
const seconds = z.number().min(0);
const figures = z
  .record(name, z.number())
  .refine((map) => Object.keys(map).length <= limits.logEntries, "has too many entries");

const groupName = z
  .string()
  .max(limits.nameLength)
  .regex(/^[A-Za-z][A-Za-z0-9_.-]*$/, "expected a letter, then letters, digits, _ . or -");
const settingName = z
  .string()
  .max(limits.nameLength)
  .regex(/^[A-Za-z_]\w*(\.\w+)*$/, "expected words joined by dots");
const scalar = z.union([text, z.number(), z.boolean(), z.null()], "expected a scalar");
const settingValue = z.union(
  [scalar, z.array(scalar).max(1024)],
  "expected text, a number, true, false, null or a list of those",
);
const settings = z
  .record(settingName, settingValue)
  .refine((map) => Object.keys(map).length <= limits.settings, "has too many entries");
const capabilities = z.array(name).max(64);

const tensorSpec = z.object({
  dtype: z.enum(["<f4", "|u1", "<i4"]),
  shape: z.array(z.int().min(1)).min(1).max(limits.tensorDimensions),
  names: z.array(name).optional(),
  units: z.array(text).optional(),
});
const actionSpec = tensorSpec.extend({ low: z.array(z.number()), high: z.array(z.number()) });

export const wireSpec = z.object({
  task: name,
  num_envs: z.int().min(1).max(limits.numEnvs),
  control_period: z.number().positive(),
  max_episode_steps: z.int().min(1),
  autoreset: z.literal("same_step"),
  observations: z.record(groupName, tensorSpec),
  action: actionSpec,
  capabilities,
});
export type WireSpec = z.infer<typeof wireSpec>;

/** Tensors whose bytes lie in shared memory instead of frames, §11. */
const described = z.object({
  name: z.string().max(limits.nameLength).regex(tensorName, "is not a tensor's name"),
  dtype: z.enum(["<f4", "|u1", "<i4"]),
  shape: z.array(count).max(limits.tensorDimensions),
});
export type Described = z.infer<typeof described>;
const shared = z
  .array(described)
  .max(limits.frames - 1)
  .optional();
const offer = z.object({
  path: text,
  token: identity,
  bytes: count,
  request_at: count,
  reply_at: count,
});
export type Offer = z.infer<typeof offer>;

const request = { seq, session: identity };
const requests = {
  hello: z.object({
    type: z.literal("hello"),
    ...request,
    protocol: version,
    client: party,
    capabilities: capabilities.default([]),
    settings: settings.default({}),
    groups: z.array(groupName).min(1).max(limits.groups).optional(),
    num_envs: z.int().min(1).max(limits.numEnvs).optional(),
    run: identity.optional(),
  }),
  reset: z.object({
    type: z.literal("reset"),
    ...request,
    seed: z.int().min(0).max(limits.maxSeed),
    shared,
  }),
  step: z.object({ type: z.literal("step"), ...request, shared }),
  snapshot: z.object({ type: z.literal("snapshot"), ...request, shared }),
  restore: z.object({ type: z.literal("restore"), ...request, shared }),
  close: z.object({ type: z.literal("close"), ...request }),
  ping: z.object({
    type: z.literal("ping"),
    seq: count,
    session: identity.optional(),
    spare: z.boolean().optional(),
  }),
};

const reply = { seq: count, epoch: identity };
const timing = z.record(name, seconds).optional();
const replies = {
  welcome: z.object({
    type: z.literal("welcome"),
    ...reply,
    protocol: version,
    server: party,
    capabilities: capabilities.default([]),
    spec: wireSpec,
    spec_hash: name,
    settings: settings.default({}),
    notices: z.array(text).max(limits.notices).default([]),
    limits: z.record(name, z.number()).default({}),
    shared_memory: offer.optional(),
  }),
  frame: z.object({ type: z.literal("frame"), ...reply, timing, shared }),
  result: z.object({
    type: z.literal("result"),
    ...reply,
    log: figures.optional(),
    timing,
    shared,
  }),
  state: z.object({ type: z.literal("state"), ...reply, shared }),
  pong: z.object({ type: z.literal("pong"), ...reply }),
  closed: z.object({ type: z.literal("closed"), ...reply }),
  progress: z.object({
    type: z.literal("progress"),
    ...reply,
    stage: name,
    elapsed: seconds,
    message: text.default(""),
  }),
  error: z.object({
    type: z.literal("error"),
    ...reply,
    code: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, "expected a kebab-case word"),
    message: text,
    hint: text.default(""),
    field: text.optional(),
    retryable: z.boolean(),
    fatal: z.boolean(),
    protocol: version.optional(),
  }),
};

type Headers<S> = { [K in keyof S]: S[K] extends z.ZodType ? z.output<S[K]> : never };
export type Requests = Headers<typeof requests>;
export type Replies = Headers<typeof replies>;
export type Request = Requests[keyof Requests];
export type Reply = Replies[keyof Replies];

export interface Message<H> {
  readonly header: H;
  readonly tensors: Tensors;
}

/** Frames → request. @throws ProtocolError naming the field that is wrong. */
export function decodeRequest(frames: readonly Uint8Array[]): Message<Request> {
  const { header, tensors } = decodeMessage(frames);
  return { header: parseRequest(header), tensors };
}

/** Frames → reply. @throws ProtocolError naming the field that is wrong. */
export function decodeReply(frames: readonly Uint8Array[]): Message<Reply> {
  const { header, tensors } = decodeMessage(frames);
  return { header: parseReply(header), tensors };
}

export function parseRequest(header: Readonly<Record<string, unknown>>): Request {
  return parse(pick(requests, header), header);
}

/** Texts of a reply are for people and files: what would steer a terminal is made visible here. */
export function parseReply(header: Readonly<Record<string, unknown>>): Reply {
  return parse(pick(replies, header), visibleTree(header));
}

export function encodeRequest(header: Request, tensors?: Tensors): Uint8Array[] {
  return encodeMessage(header, tensors);
}

export function encodeReply(header: Reply, tensors?: Tensors): Uint8Array[] {
  return encodeMessage(header, tensors);
}

function pick<S extends Readonly<Record<string, z.ZodType>>>(
  schemas: S,
  header: Readonly<Record<string, unknown>>,
): z.ZodType<z.output<S[keyof S]>> {
  const { type } = header;
  if (typeof type === "string" && Object.hasOwn(schemas, type)) {
    return schemas[type] as z.ZodType<z.output<S[keyof S]>>;
  }
  const got = typeof type === "string" ? JSON.stringify(type.slice(0, 80)) : typeof type;
  const problem = `got ${got}, expected one of ${Object.keys(schemas).join(", ")}`;
  throw new ProtocolError("unknown-type", problem, { field: "type" });
}

/** Checks a value against a schema; the first thing wrong becomes the error. */
export function parse<T>(schema: z.ZodType<T>, value: unknown, below = ""): T {
  const outcome = schema.safeParse(value);
  if (outcome.success) return outcome.data;
  const issue = outcome.error.issues[0];
  const path = [below, ...(issue?.path ?? [])].filter((part) => part !== "").join(".");
  const message = issue?.code === "invalid_key" ? issue.issues[0]?.message : issue?.message;
  throw new ProtocolError("malformed", message ?? "is not valid", { field: path || "header" });
}
