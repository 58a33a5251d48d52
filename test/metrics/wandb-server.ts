/** A W&B server on loopback, as far as `wandb sync` needs one: it keeps all that it is sent. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

interface StreamedFile {
  readonly offset: number;
  readonly content: readonly string[];
}

export interface StandIn {
  readonly url: string;
  /** Lines of the streamed files by name, e.g. `wandb-history.jsonl`, by their line number. */
  readonly streams: Map<string, string[]>;
  /** Content of uploaded files by name. */
  readonly uploads: Map<string, Buffer>;
  /** Variables of the requests that made or changed the run. */
  readonly upserts: Record<string, unknown>[];
  readonly exitCodes: number[];
  /** Operations that it was asked for and had no answer to. */
  readonly unknown: string[];
  close(): Promise<void>;
}

export async function startWandbServer(): Promise<StandIn> {
  const seen = {
    streams: new Map<string, string[]>(),
    uploads: new Map<string, Buffer>(),
    upserts: [] as Record<string, unknown>[],
    exitCodes: [] as number[],
    unknown: [] as string[],
  };
  let url = "";
  const server = createServer((request, response) => {
    void body(request).then((bytes) => answer(request.url ?? "", bytes, response));
  });
  const answer = (path: string, bytes: Buffer, response: ServerResponse) => {
    response.setHeader("content-type", "application/json");
    if (path.startsWith("/graphql")) {
      const { query, variables } = JSON.parse(bytes.toString());
      response.end(JSON.stringify(graphql(String(query), variables ?? {}, url, seen)));
    } else if (path.endsWith("/file_stream")) {
      takeStream(JSON.parse(bytes.toString()), seen);
      response.end("{}");
    } else if (path.startsWith("/upload/")) {
      seen.uploads.set(decodeURIComponent(path.slice("/upload/".length)), bytes);
      response.end();
    } else response.writeHead(404).end("{}");
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url, ...seen, close };
}

async function body(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const bytes = Buffer.concat(parts);
  return request.headers["content-encoding"] === "gzip" ? gunzipSync(bytes) : bytes;
}

type Seen = Pick<StandIn, "streams" | "upserts" | "exitCodes" | "unknown">;

function graphql(
  query: string,
  variables: Record<string, unknown>,
  url: string,
  seen: Seen,
): unknown {
  const operation = /(?:query|mutation)\s+(\w+)/.exec(query)?.[1] ?? query;
  const entity = { id: "e", name: "someone" };
  if (operation === "UpsertBucket") {
    seen.upserts.push(variables);
    const project = { id: "p", name: variables.project ?? "project", entity };
    const bucket = {
      id: "run",
      name: variables.name,
      displayName: variables.displayName ?? "",
      description: "",
      config: "{}",
      sweepName: null,
      project,
      historyLineCount: 0,
    };
    return { data: { upsertBucket: { bucket, inserted: true } } };
  }
  if (operation === "CreateRunFiles") {
    const files = (variables.files as string[]).map((name) => ({
      name,
      uploadUrl: `${url}/upload/${encodeURIComponent(name)}`,
    }));
    return { data: { createRunFiles: { runID: "run", uploadHeaders: [], files } } };
  }
  if (operation === "MarkRunFilesUploaded") {
    return { data: { markRunFilesUploaded: { success: true } } };
  }
  if (operation === "ServerFeaturesQuery") return { data: { serverInfo: { features: [] } } };
  if (operation === "Viewer") {
    const viewer = { id: "v", entity: "someone", username: "someone", email: "", flags: "{}" };
    return { data: { viewer: { ...viewer, teams: { edges: [] } } } };
  }
  seen.unknown.push(operation);
  return { data: {} };
}

function takeStream(
  message: { files?: Record<string, StreamedFile>; complete?: boolean; exitcode?: number },
  seen: Seen,
): void {
  for (const [name, { offset, content }] of Object.entries(message.files ?? {})) {
    const lines = seen.streams.get(name) ?? [];
    content.forEach((line, i) => {
      lines[offset + i] = line;
    });
    seen.streams.set(name, lines);
  }
  if (message.complete) seen.exitCodes.push(message.exitcode ?? 0);
}
