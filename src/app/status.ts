/** What there is in a workspace and what is going on. */
import type { Store, Workspace } from "../core/ports.ts";
import type { Status } from "../core/reports.ts";
import { isSelfReported } from "../core/task.ts";
import { bestOf, comparableIn, rootsOf } from "./tree.ts";

export async function statusOf(
  folder: string,
  workspace: Workspace,
  store: Store,
  activeRun: string | null,
): Promise<Status> {
  const { tasks, problems } = await workspace.tasks();
  const nodes = store.nodes();
  const roots = rootsOf(store, nodes);
  const comparable = comparableIn(store, nodes);
  const applied = store.applied();
  return {
    workspace: folder,
    activeRun: store.runs().find((run) => run.id === activeRun) ?? null,
    runs: store.runs(),
    tasks: await Promise.all(
      tasks.map(async ({ name, file }) => {
        const definition = await workspace.resolve(name).then(
          (task) => task.definition,
          () => null,
        );
        const selfReported = definition !== null && isSelfReported(definition);
        const metric = definition && { name: definition.metric.name, direction: definition.metric.direction };
        const ofTask = nodes.filter((node) => node.task === name);
        const root = roots.get(name) ?? null;
        const best = bestOf(nodes, name, comparable);
        return { name, file, metric, nodes: ofTask.length, root, best, selfReported };
      }),
    ),
    problems,
    applied: applied && { node: applied.node, task: applied.task, at: applied.at },
  };
}
