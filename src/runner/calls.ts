/** The calls being answered, of all clients: each can be cancelled by its caller, some of them by `stopRun`. */
import type { MethodName } from "../protocol/methods.ts";

/** What `stopRun` ends beside the run: calls that last, and change nothing half-way. */
const stoppable: ReadonlySet<MethodName> = new Set<MethodName>([
  ...(["check", "score", "confirm", "evaluate", "estimateTraining", "buildImage"] as const),
]);

export class Calls {
  readonly #open = new Map<AbortController, MethodName>();

  /** Does the work of one call, whose signal `controller` holds. */
  async run<T>(method: MethodName, controller: AbortController, work: () => Promise<T>): Promise<T> {
    this.#open.set(controller, method);
    try {
      return await work();
    } finally {
      this.#open.delete(controller);
    }
  }

  get size(): number {
    return this.#open.size;
  }

  /** Aborts every stoppable call and returns how many there were. */
  stop(reason: Error): number {
    const stopped = [...this.#open].filter(([, method]) => stoppable.has(method));
    for (const [controller] of stopped) controller.abort(reason);
    return stopped.length;
  }
}
