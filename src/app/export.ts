/** Writing the informative groups to a folder: the examples in the form asked for, and a card (EXIT.md section 5). */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { verlFile } from "../adapters/parquet/verl-file.ts";
import { ExitError } from "../core/errors.ts";
import { cardOf } from "../core/export/card.ts";
import type { Convert, ReplyReason } from "../core/export/examples.ts";
import { formatNotes } from "../core/export/format.ts";
import { lineForms } from "../core/export/line-forms.ts";
import { groupRowSchema } from "../core/export/native.ts";
import { count, type DropReason, noFilter, selectGroups } from "../core/export/select.ts";
import { toVerl } from "../core/export/verl.ts";
import type { Clock, ClosedGroup, Sha256, Store, Workspace } from "../core/ports.ts";
import type { ExportReport } from "../core/reports.ts";
import type { ExportRequest } from "./app.ts";
import { refuseForeignFolder, writeFolder } from "./export-folder.ts";

export interface ExportParts {
  readonly store: Pick<Store, "nodes" | "closedGroups" | "group" | "runs">;
  readonly workspace: Pick<Workspace, "folder" | "tasks" | "resolve">;
  readonly sha256: Sha256;
  readonly clock: Clock;
}

/** What became of the selected groups, counted while they are written. */
interface Tally {
  examples: number;
  replies: number;
  constrained: number;
  /** Groups without an example. */
  empty: number;
  readonly left: Map<ReplyReason, number>;
}

/** @throws ExitError `export-folder` if the folder holds anything but an earlier export, `nothing-to-export`. */
export async function exportGroups(request: ExportRequest, parts: ExportParts): Promise<ExportReport> {
  const { out, task, format = "native" } = request;
  const { store, workspace, sha256 } = parts;
  const filter = { ...noFilter, ...request.filter };
  await refuseForeignFolder(out);
  const all = store.closedGroups();
  const groups = all.filter((group) => task === null || group.task === task);
  if (groups.length === 0) {
    const what = task === null ? "This workspace" : `Task ${task}`;
    throw new ExitError(
      "nothing-to-export",
      `${what} has no finished iteration yet. Start with "exit-ml run".`,
    );
  }
  const selection = selectGroups({
    ...{ groups, runs: store.runs(), nodes: store.nodes(), sha256, filter },
    policy: request.policy ?? null,
    heldOutTasks: await heldOutTasks(new Set(groups.map((group) => group.task)), workspace),
    // Of the workspace as it is now too: the gate proves on these starts where only one task is left.
    oneTask:
      new Set(all.map((group) => group.task)).size === 1 || (await workspace.tasks()).tasks.length === 1,
    textsOf: (group) => {
      const whole = store.group(group.id);
      return [whole?.prompt.rendered ?? "", ...(whole?.replies.map((reply) => reply.text) ?? [])];
    },
  });
  const dropped = new Map<DropReason, number>(selection.dropped);
  const tasks = [...new Set(selection.kept.map((group) => group.task))].sort();
  const policies = [...new Set(selection.kept.map((group) => group.policy))];
  const tally: Tally = { examples: 0, replies: 0, constrained: 0, empty: 0, left: new Map() };
  const examples = <Row>(convert: Convert<Row>): Generator<Row> =>
    convertEach(selection.kept, convert, store, tally);

  await writeFolder(out, async (folder) => {
    const content =
      format === "verl"
        ? verlFile([...examples(toVerl())])
        : linesOf(examples(lineForms[format].convert(filter)));
    await writeFile(join(folder, formatNotes[format].file), content);
    if (format === "native") {
      const schema = z.toJSONSchema(groupRowSchema);
      await writeFile(join(folder, "schema.json"), `${JSON.stringify(schema, null, 2)}\n`);
    }
    if (tally.empty > 0) dropped.set("gives no example", tally.empty);
    await writeFile(join(folder, "README.md"), await card());
  });
  const kept = selection.kept.length - tally.empty;
  const replies = repliesOf(tally);
  return {
    ...{ folder: out, format, seen: groups.length, kept, dropped: Object.fromEntries(dropped) },
    examples: tally.examples,
    replies: { ...replies, dropped: Object.fromEntries(replies.dropped) },
    ...{ tasks, policies },
  };

  async function card(): Promise<string> {
    const runs = new Set(selection.kept.map((group) => group.run));
    return cardOf({
      ...{ format, filter, dropped, at: parts.clock.now(), examples: tally.examples },
      ...{ seen: groups.length, kept: selection.kept.length - tally.empty, replies: repliesOf(tally) },
      constrained: tally.constrained,
      ...{ tasks, policies },
      runs: store.runs().filter((run) => runs.has(run.id)),
      workspaceLicence: await licenceIn(workspace.folder),
    });
  }
}

function repliesOf({ replies, left }: Tally) {
  const dropped = [...left.values()].reduce((sum, number) => sum + number, 0);
  return { seen: replies, kept: replies - dropped, dropped: left };
}

/** The examples, of one group after the other: of the groups only one is in memory. */
function* convertEach<Row>(
  groups: readonly ClosedGroup[],
  convert: Convert<Row>,
  store: Pick<Store, "group">,
  tally: Tally,
): Generator<Row> {
  for (const { id } of groups) {
    const group = store.group(id);
    if (group === null) throw new RangeError(`group ${id} is not in the store`);
    const { rows, left } = convert(group);
    tally.examples += rows.length;
    tally.replies += group.replies.length;
    tally.constrained += group.replies.filter((reply) => reply.constrained !== null).length;
    if (rows.length === 0) tally.empty++;
    for (const reason of left) count(tally.left, reason);
    yield* rows;
  }
}

function* linesOf(rows: Iterable<object>): Generator<string> {
  for (const row of rows) yield `${JSON.stringify(row)}\n`;
}

/** Tasks that are marked held out now; a task whose file is gone counts as train, as it did when it ran. */
async function heldOutTasks(
  names: ReadonlySet<string>,
  workspace: ExportParts["workspace"],
): Promise<Set<string>> {
  const heldOut = new Set<string>();
  const { tasks } = await workspace.tasks();
  for (const { name } of tasks.filter((task) => names.has(task.name))) {
    const task = await workspace.resolve(name);
    if (task.definition.split === "heldout") heldOut.add(name);
  }
  return heldOut;
}

/** The first line of the licence file at the top of the workspace; null if there is none. */
async function licenceIn(folder: string): Promise<string | null> {
  for (const name of ["LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE", "COPYING"]) {
    const text = await readFile(join(folder, name), "utf8").catch(() => "");
    const line = text.split("\n").find((candidate) => candidate.trim() !== "");
    if (line !== undefined) return line.trim().slice(0, 80);
  }
  return null;
}
