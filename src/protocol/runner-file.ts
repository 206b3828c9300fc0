/** `.exit/runner.json`: where the runner of a workspace listens. Written by the runner with mode 0600. */
import { join } from "node:path";
import { z } from "zod";

/** Not strict: a runner of a later version may say more. */
export const runnerFileSchema = z.object({
  pid: z.int().positive(),
  /** Path of a Unix socket, or name of a Windows pipe. */
  socket: z.string().min(1),
  protocol: z.int(),
  token: z.string().min(1),
});
export type RunnerFile = z.infer<typeof runnerFileSchema>;

/** Where everything of the product is kept in a workspace. */
export function stateFolder(workspace: string): string {
  return join(workspace, ".exit");
}

export function runnerFilePath(workspace: string): string {
  return join(stateFolder(workspace), "runner.json");
}

export function runnerLogPath(workspace: string): string {
  return join(stateFolder(workspace), "logs", "runner.log");
}

/** The contents, or null for anything that is not such a file. */
export function parseRunnerFile(text: string): RunnerFile | null {
  try {
    return runnerFileSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
