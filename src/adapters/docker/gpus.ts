/** The GPUs an engine of this machine can hand to a container. The engine itself does not list them. */
import { execFile } from "node:child_process";

/** Milliseconds a driver may take that has to wake its cards first. */
const patience = 10_000;

/** Ids as the engine takes them; none where there is no driver, or it does not answer. */
export function gpuIds(): Promise<string[]> {
  const query = ["--query-gpu=index", "--format=csv,noheader"];
  return new Promise((resolve) => {
    execFile("nvidia-smi", query, { timeout: patience }, (error, stdout) => {
      const lines = error === null ? stdout.split("\n").map((line) => line.trim()) : [];
      resolve(lines.filter((line) => /^\d+$/.test(line)));
    });
  });
}
