/**
 * The extension's connection to the runner of one workspace folder, and what it knows through it. The runner
 * outlives us: after a reload the next session finds it, and the run it may be at, again.
 */
import { EventEmitter } from "vscode";
import { adopt, type Board, follow, newBoard } from "../../client/board.ts";
import { type Client, type ConnectOptions, connect } from "../../client/connect.ts";
import { followTuning, newTuningBoard, type TuningBoard } from "../../client/tuning-board.ts";
import { ExitError, messageOf } from "../../protocol/errors.ts";
import type { RunEvent } from "../../protocol/events.ts";
import type { MethodName, RequestOf, ResponseOf } from "../../protocol/methods.ts";
import type { Readiness, Status, TrainingStatus, TuningJob } from "../../protocol/results.ts";
import { HistoryIndex } from "../history/history-index.ts";
import type { Log } from "../log.ts";
import { modelSettings } from "../settings.ts";
import { listExports } from "../training/exports.ts";

/** The command that goes on with what was cut off. */
const wayOn: Record<TuningJob, string> = {
  "fine-tune": "Fine-Tune Local Model",
  gate: "Gate Tuned Model",
  rounds: "Bootstrap",
};

export class Session {
  readonly folder: string;
  readonly history = new HistoryIndex();
  status: Status | null = null;
  readiness: Readiness | null = null;
  /** The sentence that says why the history could not be read. */
  failure: string | null = null;
  /** The run under way. */
  board: Board | null = null;
  training: TrainingStatus | null = null;
  /** Names of the folders in .exit/exports. */
  exports: readonly string[] = [];
  /** The work with tuned models under way. */
  tuning: TuningBoard | null = null;

  readonly #options: () => ConnectOptions;
  readonly #log: Log;
  readonly #changed = new EventEmitter<void>();
  readonly #events = new EventEmitter<RunEvent>();
  readonly #gone = new EventEmitter<void>();
  #client: Promise<Client> | null = null;
  #last: Promise<void> = Promise.resolve();
  #pending = 0;
  #doing = "";
  #disposed = false;

  /** Something of what is known changed. */
  readonly onDidChange = this.#changed.event;
  /** After the event was taken in. */
  readonly onEvent = this.#events.event;
  /** The runner ended. */
  readonly onGone = this.#gone.event;

  constructor(folder: string, options: () => ConnectOptions, log: Log) {
    this.folder = folder;
    this.#options = options;
    this.#log = log;
  }

  /** Reads status, history and readiness, through a new connection if there is none. Never rejects. */
  async refresh(): Promise<void> {
    try {
      const client = await this.#connected();
      const [status, { nodes }] = await Promise.all([
        client.call("status", {}),
        client.call("tree", { task: null }),
      ]);
      this.failure = null;
      this.status = status;
      this.history.reset(nodes);
      await this.#readTraining(client);
      for (const problem of status.problems) this.#log.warn(problem);
      this.#changed.fire();
      const { name, runtime, endpoint } = modelSettings();
      this.readiness = await client.call("doctor", { runtime, model: name, endpoint });
      for (const { part, ok, message } of this.readiness.parts)
        if (!ok) this.#log.warn(`${part}: ${message}`);
    } catch (error) {
      this.failure = messageOf(error);
      this.#log.error(this.failure);
    }
    this.#changed.fire();
  }

  /** Calls the runner, which is started or found first if need be. @throws ExitError. */
  async call<M extends MethodName>(
    method: M,
    request: RequestOf<M>,
    signal?: AbortSignal,
  ): Promise<ResponseOf<M>> {
    const client = await this.#connected();
    this.#pending++;
    try {
      return await client.call(method, request, signal);
    } finally {
      this.#pending--;
      if (this.#pending === 0 && this.#doing !== "") {
        this.#doing = "";
        this.#changed.fire();
      }
    }
  }

  /** The step a call of ours is at, as the runner told it; empty if it told none. */
  get doing(): string {
    return this.#doing;
  }

  /** The status may tell more than before: tasks, the applied revision. */
  async refreshStatus(): Promise<void> {
    this.status = await this.call("status", {});
    this.#changed.fire();
  }

  /** There may be more exports than before. */
  async refreshExports(): Promise<void> {
    this.exports = await listExports(this.folder);
    this.#changed.fire();
  }

  async #readTraining(client: Client): Promise<void> {
    this.exports = await listExports(this.folder);
    // A runner of an older version knows no tuned models; all else of it can be shown.
    this.training = await client.call("training", {}).catch((error: unknown) => {
      this.#log.warn(messageOf(error));
      return null;
    });
    // Work that began before we came is taken up as its events come.
    const job = this.training?.job ?? null;
    if (job === null) this.tuning = null;
    else this.tuning ??= newTuningBoard(job);
  }

  dispose(): void {
    this.#disposed = true;
    // Who waits for the end of something waits no longer: nothing more comes from here.
    this.#gone.fire();
    void this.#client?.then(
      (client) => client.close(),
      () => undefined,
    );
    this.#changed.dispose();
    this.#events.dispose();
    this.#gone.dispose();
  }

  #connected(): Promise<Client> {
    this.#client ??= this.#open().catch((error: unknown) => {
      this.#client = null;
      throw error;
    });
    return this.#client;
  }

  async #open(): Promise<Client> {
    if (this.#disposed) throw new ExitError("cancelled", "The window is closing.");
    const client = await connect(this.folder, this.#options());
    this.#log.info(`Runner ${client.runner.pid} serves ${this.folder}.`);
    if (client.runner.readOnly)
      this.#log.warn("The runner at work is of another version: the history can be looked at, not changed.");
    client.onEvent((event) => {
      this.#last = this.#last
        .then(() => this.#takeIn(client, event))
        .catch((e) => this.#log.error(messageOf(e)));
    });
    try {
      await this.#findWorkUnderWay(client);
    } catch (error) {
      client.close();
      throw error;
    }
    void client.closed.then(() => this.#ended(client));
    return client;
  }

  /** What began before we came: its groups under way are taken up as their events come. */
  async #findWorkUnderWay(client: Client): Promise<void> {
    const { activeRun } = await client.call("status", {});
    if (activeRun !== null) {
      const { nodes } = await client.call("tree", { task: null });
      this.board = newBoard(
        activeRun,
        nodes.filter((node) => activeRun.tasks.includes(node.task)),
      );
      this.#log.info(`Found run ${activeRun.id} at work.`);
    }
    await this.#readTraining(client);
  }

  #ended(client: Client): void {
    if (this.#disposed) return;
    this.#client = null;
    const again =
      this.tuning !== null ? wayOn[this.tuning.job] : this.board !== null ? "Iterate Solution" : null;
    this.board = null;
    this.tuning = null;
    if (again !== null)
      this.failure = `The runner ended in the middle of its work. What was finished is kept: ${again} goes on from there.`;
    this.#log.warn(this.failure ?? `Runner ${client.runner.pid} ended.`);
    this.#changed.fire();
    this.#gone.fire();
  }

  async #takeIn(client: Client, event: RunEvent): Promise<void> {
    const { board } = this;
    if (board !== null && "group" in event && !board.groups.has(event.group)) {
      const group = await client.call("showGroup", { group: event.group }).catch(() => null);
      if (group !== null) adopt(board, group, performance.now());
    }
    switch (event.type) {
      case "progress":
        if (this.#pending > 0) this.#doing = event.text;
        this.#log.info(event.text);
        break;
      case "message":
        this.#log[event.level](event.text);
        break;
      case "workspaceMoved":
        this.#log.info(
          `Changed while the run lasts: ${event.paths.join(", ")}. The run goes on from its own files.`,
        );
        break;
      case "runStarted": {
        const { nodes } = await client.call("tree", { task: null });
        this.history.reset(nodes);
        this.board = newBoard(
          event.run,
          nodes.filter((node) => event.run.tasks.includes(node.task)),
        );
        this.status = await client.call("status", {});
        break;
      }
      case "groupClosed":
        this.history.add(event.closing.nodes, event.iteration, event.best);
        break;
      case "runEnded":
        this.#log.info(`Run ${event.run.id} ended: ${event.error?.message ?? event.reason}`);
        break;
      case "tuningStarted":
        this.tuning = newTuningBoard(event.job);
        break;
      case "trainer":
        this.#log.info(`${event.model}: ${event.event.text}`);
        break;
      case "tuningChanged":
        await this.#readTraining(client);
        break;
      case "tuningEnded":
        this.#log.info(`The ${event.job} ended: ${event.error?.message ?? "it is done"}`);
        break;
    }
    if (this.tuning !== null) followTuning(this.tuning, event);
    if (this.board !== null) follow(this.board, event, performance.now());
    if (event.type === "groupClosed") this.board?.groups.delete(event.group);
    if (event.type === "runEnded") {
      this.board = null;
      this.status = await client.call("status", {}).catch(() => this.status);
    }
    if (event.type === "tuningEnded") await this.#readTraining(client);
    this.#changed.fire();
    this.#events.fire(event);
  }
}
