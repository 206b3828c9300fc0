/** Stands between a sandbox and the real engine and spoils single calls, as a crashing engine or a bad link does. */
import { rmSync } from "node:fs";
import { createServer, request } from "node:http";

type Fault = "none" | "hang" | "cut";

export interface FaultyEngine {
  readonly socket: string;
  /** Decides over each call: passed on, never answered, or its answer cut off at the first byte. */
  spoil(rule: (method: string, path: string) => Fault): void;
  close(): Promise<void>;
}

export async function startFaultyEngine(socket: string): Promise<FaultyEngine> {
  let rule: (method: string, path: string) => Fault = () => "none";
  const server = createServer((incoming, outgoing) => {
    const path = (incoming.url ?? "").replace(/\?.*/, "");
    const fault = rule(incoming.method ?? "", path);
    if (fault === "hang") return;
    const forwarded = request(
      {
        socketPath: "/var/run/docker.sock",
        path: incoming.url,
        method: incoming.method,
        headers: incoming.headers,
      },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        outgoing.flushHeaders();
        if (fault === "cut") answer.once("data", () => outgoing.destroy());
        else answer.pipe(outgoing);
        outgoing.on("close", () => answer.destroy());
      },
    );
    forwarded.on("error", () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    socket,
    spoil(next) {
      rule = next;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(socket, { force: true });
    },
  };
}
