/** Exports of a search that never left memory, written by the product's own code. */
import { join } from "node:path";
import { exportGroups } from "../../src/app/export.ts";
import type { ExportFormat } from "../../src/core/export/format.ts";
import type { ExportFilter } from "../../src/core/export/select.ts";
import type { SampledReply } from "../../src/core/history.ts";
import { runLoop } from "../../src/core/loop.ts";
import type { Policy, Store } from "../../src/core/ports.ts";
import type { ExportReport } from "../../src/core/reports.ts";
import { instantPolicy, memoryPolicyInfo, memoryTask, memoryWorld, sha256 } from "./memory-world.ts";

/** Replies with what is awkward to write down: thinking, quotes, other scripts, line ends. One in nine was cut. */
function awkwardPolicy(): Policy {
  const instant = instantPolicy({
    text: (seed) => `<think>\n"${seed}" – größer? 更大\r\n</think>\n{"x": ${seed % 101}}`,
  });
  return {
    ...instant,
    async *sample(...request): AsyncGenerator<SampledReply> {
      for await (const reply of instant.sample(...request))
        yield reply.seed % 9 === 0 ? { ...reply, finish: "length" } : reply;
    },
  };
}

export async function searched(iterations = 24): Promise<Store> {
  const { store, context } = await memoryWorld({
    policy: awkwardPolicy(),
    iterations,
    run: {
      provenance: {
        policy: { ...memoryPolicyInfo, license: "apache-2.0" },
        sandbox: {
          ...{ engine: "none", version: "0", boundary: "none", warnings: [] },
          ...{ image: "python:local", imageDigest: "i".repeat(64) },
        },
        selfTests: [],
        allowedMissing: [],
      },
    },
    settings: { maxReplyTokens: 512 },
  });
  await runLoop(context, new AbortController().signal);
  return store;
}

/** @param workspace a folder; its licence file is the export's */
export function exportTo(
  out: string,
  store: Store,
  request: { format?: ExportFormat; filter?: Partial<ExportFilter> } = {},
  workspace = join(out, "..", "workspace"),
): Promise<ExportReport> {
  const task = memoryTask();
  return exportGroups(
    { out, task: null, ...request },
    {
      ...{ store, sha256 },
      workspace: {
        folder: workspace,
        tasks: async () => ({ tasks: [{ name: task.id, file: task.file }], problems: [] }),
        resolve: async () => task,
      },
      clock: { monotonic: () => 0, now: () => "2026-01-02T03:04:05Z" },
    },
  );
}
