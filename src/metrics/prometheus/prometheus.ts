/** A page of the latest figures for Prometheus to fetch. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { MetricSink, Metrics } from "../metric-sink.ts";
import { descriptionIn, distillationRun, stageOfRow } from "../read-description.ts";
import { SinkGuard } from "../sink-guard.ts";
import { contentType, prometheusPage } from "./page.ts";

export interface PrometheusOptions {
  /** On 127.0.0.1; 0 for any free one. */
  readonly port: number;
  /** Labels of every figure, e.g. `run` and `task`. */
  readonly labels: Readonly<Record<string, string>>;
  /** Receives lines for people: where the page is, or why there is none. */
  readonly say: (line: string) => void;
}

export interface PrometheusSink extends MetricSink {
  /** Undefined where there is no page. */
  readonly url: string | undefined;
}

/** A simulator that thinks up new names all the time must not fill the memory. */
const mostFigures = 2000;

/** Never throws: a port that is taken is said once, and there is no page. */
export async function openPrometheus(options: PrometheusOptions): Promise<PrometheusSink> {
  const guard = new SinkGuard("Prometheus page", options.say);
  const latest = new Latest(options.labels);
  const server = serve(() => latest.page());
  const url = await listen(server, options.port).catch((error) => {
    guard.fail(withAdvice(error, options.port));
    return undefined;
  });
  if (url !== undefined) guard.say(`Prometheus page: ${url}`);
  return {
    url,
    write(iteration, metrics) {
      latest.iteration = iteration;
      latest.writtenAt = Date.now() / 1000;
      for (const [name, value] of Object.entries(metrics)) {
        if (latest.figures.size < mostFigures || latest.figures.has(name)) {
          latest.figures.set(name, value);
        } else if (!latest.full) {
          latest.full = true;
          guard.say(`Prometheus page: no more than ${mostFigures} figures; others are left out`);
        }
      }
    },
    event(event) {
      if (event.type === "start") latest.room = descriptionIn(event)?.room ?? latest.room;
    },
    close: () => close(server),
  };
}

/** What the page shows. */
class Latest {
  readonly figures = new Map<string, number>();
  readonly #labels: Readonly<Record<string, string>>;
  iteration: number | undefined;
  writtenAt: number | undefined;
  full = false;
  room = distillationRun.room;

  constructor(labels: Readonly<Record<string, string>>) {
    this.#labels = labels;
  }

  page(): string {
    const figures = Object.fromEntries(this.figures);
    return prometheusPage({
      labels: this.#labels,
      iteration: this.iteration,
      phase: this.#phase(figures),
      writtenAt: this.writtenAt,
      figures,
    });
  }

  /** From 1. */
  #phase(figures: Metrics): number | undefined {
    const place = stageOfRow(figures, this.room);
    return place === undefined ? undefined : place.index + 1;
  }
}

/** Answers on loopback only, without keeping the process alive. */
function serve(page: () => string): Server {
  const server = createServer((request, response) => {
    const known = request.url?.split("?")[0] === "/metrics";
    const readable = request.method === "GET" || request.method === "HEAD";
    const status = !known ? 404 : readable ? 200 : 405;
    const text = status === 200 ? page() : "The figures are at GET /metrics\n";
    response.writeHead(status, {
      "content-type": contentType,
      "content-length": Buffer.byteLength(text),
      ...(status === 405 ? { allow: "GET, HEAD" } : {}),
    });
    response.end(request.method === "HEAD" ? undefined : text);
  });
  server.maxConnections = 16;
  server.requestTimeout = 5000;
  return server.unref();
}

async function listen(server: Server, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      server.on("error", () => undefined);
      resolve();
    });
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
}

function withAdvice(error: unknown, port: number): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE")
    return new Error(`port ${port} is taken; name another: --metrics_port`);
  return code === "EACCES"
    ? new Error(`port ${port} needs privileges; take one above 1023`)
    : error;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
