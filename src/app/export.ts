/** Writing the informative groups to a folder: `groups.jsonl`, `schema.json` and a card (EXIT.md section 5). */
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { ExitError } from "../core/errors.ts";
import { type DropReason, exportVersion, groupRow, groupRowSchema, selectGroups } from "../core/export.ts";
import type { Run } from "../core/history.ts";
import type { Clock, ClosedGroup, Sha256, Store, Workspace } from "../core/ports.ts";
import type { ExportReport } from "../core/reports.ts";
import type { ExportRequest } from "./app.ts";

export interface ExportParts {
  readonly store: Pick<Store, "nodes" | "closedGroups" | "group" | "runs">;
  readonly workspace: Workspace;
  readonly sha256: Sha256;
  readonly clock: Clock;
}

/** Files of an export; a folder that holds exactly these may be written again. */
const files = ["README.md", "groups.jsonl", "schema.json"];

/** @throws ExitError `export-folder` if the folder holds anything else, `nothing-to-export`. */
export async function exportGroups(request: ExportRequest, parts: ExportParts): Promise<ExportReport> {
  await refuseForeignFolder(request.out);
  const all = parts.store.closedGroups();
  const groups = all.filter((group) => request.task === null || group.task === request.task);
  if (groups.length === 0) {
    const what = request.task === null ? "This workspace" : `Task ${request.task}`;
    throw new ExitError(
      "nothing-to-export",
      `${what} has no finished iteration yet. Start with "exit-ml run".`,
    );
  }
  const tasks = new Set(groups.map((group) => group.task));
  const { kept, dropped } = selectGroups({
    groups,
    runs: parts.store.runs(),
    nodes: parts.store.nodes(),
    heldOutTasks: await heldOutTasks(tasks, parts.workspace),
    oneTask: new Set(all.map((group) => group.task)).size === 1,
    textsOf: (group) => {
      const whole = parts.store.group(group.id);
      return [whole?.prompt.rendered ?? "", ...(whole?.replies.map((reply) => reply.text) ?? [])];
    },
    policy: request.policy ?? null,
    sha256: parts.sha256,
  });
  const policies = [...new Set(kept.map((group) => group.policy))];

  await mkdir(dirname(request.out), { recursive: true });
  const unfinished = await mkdtemp(`${request.out}.unfinished-`);
  try {
    await writeFile(join(unfinished, "groups.jsonl"), rowsOf(kept, parts.store));
    const schema = z.toJSONSchema(groupRowSchema);
    await writeFile(join(unfinished, "schema.json"), `${JSON.stringify(schema, null, 2)}\n`);
    const card = cardOf({
      seen: groups.length,
      kept: kept.length,
      dropped,
      tasks,
      policies,
      licences: licencesOf(parts.store.runs(), kept),
      at: parts.clock.now(),
    });
    await writeFile(join(unfinished, "README.md"), card);
    await rm(request.out, { recursive: true, force: true });
    await rename(unfinished, request.out);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
  return {
    folder: request.out,
    seen: groups.length,
    kept: kept.length,
    dropped: Object.fromEntries(dropped),
    tasks: [...new Set(kept.map((group) => group.task))].sort(),
    policies,
  };
}

/** The lines of `groups.jsonl`, one read from the store at a time. */
function* rowsOf(kept: readonly ClosedGroup[], store: Pick<Store, "group">): Generator<string> {
  for (const { id, learnability } of kept) {
    const group = store.group(id);
    if (group !== null && learnability !== null) yield `${JSON.stringify(groupRow(group, learnability))}\n`;
  }
}

function licencesOf(runs: readonly Run[], kept: readonly ClosedGroup[]): string[] {
  const sampled = new Set(kept.map((group) => group.run));
  const lines = runs.flatMap(({ id, provenance }) => {
    if (!sampled.has(id) || provenance === null) return [];
    const { model, license } = provenance.policy;
    return [`Licence of ${model}: ${license ?? "not named by the model file"}.`];
  });
  return [...new Set(lines)];
}

async function refuseForeignFolder(folder: string): Promise<void> {
  let entries: string[];
  try {
    entries = await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw new ExitError(
      "export-folder",
      `${folder} cannot be written as a folder. Name another one with --out.`,
    );
  }
  const isExport = entries.sort().join("\n") === files.join("\n");
  if (entries.length > 0 && !isExport)
    throw new ExitError(
      "export-folder",
      `${folder} already holds ${entries[0]} and is no earlier export. Name an empty or new folder with --out.`,
    );
}

/** Tasks that are marked held out now; a task whose file is gone counts as train, as it did when it ran. */
async function heldOutTasks(names: ReadonlySet<string>, workspace: Workspace): Promise<Set<string>> {
  const heldOut = new Set<string>();
  const { tasks } = await workspace.tasks();
  for (const { name } of tasks.filter((task) => names.has(task.name))) {
    const task = await workspace.resolve(name);
    if (task.definition.split === "heldout") heldOut.add(name);
  }
  return heldOut;
}

function cardOf(facts: {
  seen: number;
  kept: number;
  dropped: ReadonlyMap<DropReason, number>;
  tasks: ReadonlySet<string>;
  policies: readonly string[];
  /** One line a model. */
  licences: readonly string[];
  at: string;
}): string {
  const dropped = [...facts.dropped].map(([reason, count]) => `| ${reason} | ${count} |`);
  return [
    "# Informative iterations",
    "",
    `Exported ${facts.at} by ExIt ML, format version ${exportVersion}. Each line of \`groups.jsonl\` is one iteration:`,
    "a prompt, the replies sampled for it, what each scored, and the rewards and advantages that follow.",
    "`schema.json` describes a line.",
    "",
    "| iterations | count |",
    "| --- | --- |",
    `| seen | ${facts.seen} |`,
    `| kept | ${facts.kept} |`,
    ...dropped,
    "",
    `Tasks: ${[...facts.tasks].join(", ")}.`,
    "",
    `Sampled by: ${facts.policies.join(", ") || "-"} (model@weights.template#version).`,
    "",
    ...facts.licences,
    "",
    "The replies fall under the terms of the model that wrote them, prompts and solutions under those of the",
    "workspace they come from. Check both before you pass this folder on.",
    "",
  ].join("\n");
}
