/** Stands between a sandbox and a real engine as a bad link does: answers come late, in part, or never. */
import { rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";

/** What becomes of the answer to one call. `after` counts the bytes of the answer, its head included. */
export type Fault =
  | { readonly kind: "none" }
  /** Everything comes, so many milliseconds later. */
  | { readonly kind: "late"; readonly ms: number }
  /** Then nothing more comes, and the connection stays. */
  | { readonly kind: "stall"; readonly after: number }
  /** Then the connection ends, as if that had been all. */
  | { readonly kind: "end"; readonly after: number }
  /** Then the connection breaks, in both directions. */
  | { readonly kind: "break"; readonly after: number };

type Rule = (method: string, path: string) => Fault;

export interface EngineProxy {
  readonly socket: string;
  /** Asked at every call. */
  spoil(rule: Rule): void;
  /** Calls that met a fault, as `METHOD path`. */
  readonly spoiled: readonly string[];
  close(): Promise<void>;
}

export const sound: Fault = { kind: "none" };

/** @param target path of the engine's socket */
export async function startProxy(socket: string, target: string): Promise<EngineProxy> {
  let rule: Rule = () => sound;
  const spoiled: string[] = [];
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const engine = connect(target);
    let fault: Fault = sound;
    let passed = 0;
    const later = (act: () => void): void => {
      if (fault.kind === "late") setTimeout(act, fault.ms);
      else act();
    };
    for (const socket of [client, engine]) {
      open.add(socket);
      socket.on("close", () => {
        open.delete(socket);
        later(() => {
          client.destroy();
          engine.destroy();
        });
      });
      socket.on("error", () => undefined);
    }
    client.on("data", (bytes) => {
      // The client sends the head of a call in one piece, and no call before the last one is answered.
      const [, method, path] =
        /^([A-Z]+) (?:\/v[\d.]+)?(\/\S*) HTTP/.exec(bytes.toString("latin1", 0, 2048)) ?? [];
      if (method !== undefined && path !== undefined) {
        fault = rule(method, path.replace(/\?.*/, ""));
        passed = 0;
        if (fault.kind !== "none") spoiled.push(`${method} ${path.replace(/\?.*/, "")}`);
      }
      engine.write(bytes);
    });
    engine.on("data", (bytes) => {
      const present = fault;
      if (present.kind === "none") client.write(bytes);
      else if (present.kind === "late") later(() => client.write(bytes));
      else {
        const piece = bytes.subarray(0, Math.max(0, present.after - passed));
        passed += bytes.length;
        if (piece.length > 0) client.write(piece);
        if (passed < present.after || present.kind === "stall") return;
        if (present.kind === "end") client.end();
        else client.destroy();
      }
    });
    client.on("end", () => engine.end());
    engine.on("end", () => later(() => client.end()));
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    socket,
    spoiled,
    spoil(next) {
      rule = next;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const each of open) each.destroy();
      await closed;
      rmSync(socket, { force: true });
    },
  };
}
