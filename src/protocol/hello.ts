/** The handshake: the first request on a connection, and the only one a stranger gets an answer to. */
import { z } from "zod";

export const helloMethod = "hello";

/** Not strict: a client of a later version may say more. */
export const helloSchema = z.object({
  /** From `.exit/runner.json`, which only the user can read. */
  token: z.string(),
  protocol: z.int(),
});
export type HelloRequest = z.infer<typeof helloSchema>;

export interface HelloResponse {
  readonly protocol: number;
  readonly pid: number;
  /** Absolute path of the workspace folder. */
  readonly workspace: string;
  /** True for a client of another protocol version: only `readOnlyMethods`, and no events. */
  readonly readOnly: boolean;
}
