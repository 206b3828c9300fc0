/** What the runner tells every client unasked: notifications of the method `event`, one event each. */
import type { GroupOpening, Node, Run, SampledReply } from "../core/history.ts";
import type { GroupClosing, Outcome, PolicyInfo, SandboxInfo } from "../core/ports.ts";

export const eventMethod = "event";

export type RunnerEvent =
  | {
      readonly type: "runStarted";
      readonly run: Run;
      readonly continued: boolean;
      readonly policy: PolicyInfo;
      readonly sandbox: SandboxInfo;
    }
  | { readonly type: "groupOpened"; readonly opening: GroupOpening; readonly promptTokens: number }
  | {
      readonly type: "replySampled";
      readonly group: string;
      readonly reply: Pick<SampledReply, "index" | "finish" | "ms"> & { readonly tokens: number | null };
    }
  | {
      readonly type: "replyScored";
      readonly group: string;
      readonly index: number;
      readonly outcome: Pick<Outcome, "verdict" | "score" | "quality" | "snapshot" | "feedback">;
    }
  | {
      readonly type: "groupClosed";
      readonly group: string;
      readonly iteration: number;
      readonly closing: Pick<GroupClosing, "state" | "learnability" | "informative" | "nodes">;
      readonly best: Node | null;
      readonly spent: Run["spent"];
    }
  | { readonly type: "workspaceMoved"; readonly task: string; readonly paths: readonly string[] }
  | { readonly type: "message"; readonly level: "info" | "warn"; readonly text: string }
  | { readonly type: "progress"; readonly text: string }
  | {
      readonly type: "runEnded";
      readonly run: Run;
      readonly reason: "iterations" | "hours" | "tokens" | "target" | "stopped" | "error";
      readonly error: { readonly reason: string; readonly message: string } | null;
    };

export type EventOf<T extends RunnerEvent["type"]> = Extract<RunnerEvent, { type: T }>;
