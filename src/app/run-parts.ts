/** What a run needs of the rest of the product. */
import type {
  Arbiter,
  Clock,
  FreeBytes,
  Policy,
  Sandbox,
  Scorer,
  Sha256,
  Snapshots,
  Store,
  Workspace,
} from "../core/ports.ts";
import type { RunEvent } from "../core/reports.ts";
import type { ModelRequest } from "./app.ts";

export interface RunParts {
  readonly workspace: Workspace;
  readonly snapshots: Snapshots;
  readonly store: Store;
  readonly clock: Clock;
  readonly sha256: Sha256;
  readonly emit: (event: RunEvent) => void;
  readonly sandbox: () => Promise<Sandbox>;
  readonly scorer: () => Promise<Scorer>;
  readonly arbiter: Arbiter;
  readonly freeBytes: FreeBytes;
  /** Folders the run writes to. */
  readonly stateFolders: readonly string[];
  readonly openPolicy: (request: ModelRequest, signal: AbortSignal) => Promise<Policy>;
  /** Tells when files that match change while the run lasts. */
  readonly watch: (
    matches: (path: string) => boolean,
    onChange: (paths: readonly string[]) => void,
  ) => Promise<{ close(): Promise<void> }>;
}
