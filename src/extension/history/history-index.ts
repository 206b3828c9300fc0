/** The nodes of a workspace as a tree shows them: by id and by parent, in the order they were made. */
import type { ListedNode, Node } from "../../protocol/results.ts";

export class HistoryIndex {
  readonly #nodes = new Map<string, ListedNode>();
  readonly #children = new Map<string | null, string[]>();
  /** Best node of each task. */
  readonly #best = new Map<string, string>();
  /** Revisions of each task. */
  readonly #revisions = new Map<string, number>();

  /** Begins anew with these, which come in the order they were made. */
  reset(nodes: readonly ListedNode[]): void {
    this.#nodes.clear();
    this.#children.clear();
    this.#best.clear();
    this.#revisions.clear();
    for (const node of nodes) this.#put(node);
  }

  /** Takes in the nodes of a group that closed. */
  add(nodes: readonly Node[], iteration: number, best: Node | null): void {
    if (best !== null) this.#best.set(best.task, best.id);
    for (const node of nodes)
      if (!this.#nodes.has(node.id)) {
        // Scored by the evaluator of its start, like all of its tree.
        const { comparable = true } = this.get(node.parent ?? "") ?? {};
        this.#put({ ...node, iteration, best: node.id === best?.id, comparable });
      }
  }

  #put(node: ListedNode): void {
    this.#nodes.set(node.id, node);
    if (node.parent !== null) this.#revisions.set(node.task, this.countRevisions(node.task) + 1);
    if (node.best) this.#best.set(node.task, node.id);
    const siblings = this.#children.get(node.parent);
    if (siblings) siblings.push(node.id);
    else this.#children.set(node.parent, [node.id]);
  }

  get size(): number {
    return this.#nodes.size;
  }

  get(id: string): ListedNode | undefined {
    return this.#nodes.get(id);
  }

  roots(): readonly ListedNode[] {
    return this.children(null);
  }

  children(parent: string | null): readonly ListedNode[] {
    const ids = this.#children.get(parent) ?? [];
    return ids.flatMap((id) => this.#nodes.get(id) ?? []);
  }

  countChildren(parent: string): number {
    return this.#children.get(parent)?.length ?? 0;
  }

  /** Nodes of a task that are no roots. */
  countRevisions(task: string): number {
    return this.#revisions.get(task) ?? 0;
  }

  hasRevisions(): boolean {
    return this.#revisions.size > 0;
  }

  isBest(node: ListedNode): boolean {
    return this.#best.get(node.task) === node.id;
  }

  /** The best node of every task, the best of all first. */
  best(): readonly ListedNode[] {
    const nodes = [...this.#best.values()].flatMap((id) => this.#nodes.get(id) ?? []);
    return nodes.sort((a, b) => (b.quality ?? 0) - (a.quality ?? 0));
  }

  /** The nodes above it, nearest first. */
  ancestors(node: ListedNode): readonly ListedNode[] {
    const above: ListedNode[] = [];
    for (let at = node.parent; at !== null; ) {
      const parent = this.#nodes.get(at);
      if (parent === undefined) break;
      above.push(parent);
      at = parent.parent;
    }
    return above;
  }

  /** All nodes, the scored ones of the highest quality first. */
  ranked(): readonly ListedNode[] {
    return [...this.#nodes.values()].sort((a, b) => (b.quality ?? -1) - (a.quality ?? -1));
  }
}
