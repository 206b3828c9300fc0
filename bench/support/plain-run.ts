/** What sandboxed trials are compared with. */
import { spawn } from "node:child_process";
import { once } from "node:events";

/** Milliseconds the program `docker` takes with these arguments. */
export async function plainRun(args: readonly string[]): Promise<number> {
  const began = performance.now();
  const child = spawn("docker", args, { stdio: ["ignore", "ignore", "inherit"] });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`docker ${args[0]} ended with ${code}.`);
  return performance.now() - began;
}
