/**
 * The session of the workspace folder the user works in, begun no earlier than a view is looked at or a command
 * needs it, and never in a workspace that is not trusted.
 */
import { type Disposable, EventEmitter, type Memento, type WorkspaceFolder, window, workspace } from "vscode";
import type { Board } from "../../client/board.ts";
import type { ConnectOptions } from "../../client/connect.ts";
import type { TuningBoard } from "../../client/tuning-board.ts";
import { ExitError } from "../../protocol/errors.ts";
import type { RunEvent } from "../../protocol/events.ts";
import type { Readiness, Status, TrainingStatus } from "../../protocol/results.ts";
import { HistoryIndex } from "../history/history-index.ts";
import type { Log } from "../log.ts";
import { Session } from "./session.ts";

const chosenKey = "folder";

/** What is known of the folder, whether or not a session is open. */
export interface Known {
  readonly hasTaskFile: boolean;
  readonly history: HistoryIndex;
  readonly board: Board | null;
  readonly status: Status | null;
  readonly readiness: Readiness | null;
  readonly failure: string | null;
  readonly doing: string;
  readonly training: TrainingStatus | null;
  readonly exports: readonly string[];
  readonly tuning: TuningBoard | null;
}

export class Sessions implements Disposable {
  readonly #options: () => ConnectOptions;
  readonly #memory: Memento;
  readonly #log: Log;
  readonly #changed = new EventEmitter<void>();
  readonly #events = new EventEmitter<RunEvent>();
  readonly #disposables: Disposable[];
  #session: Session | null = null;
  #hasTaskFile = true;
  #looking: Promise<void> | null = null;
  /** A run of ours is getting ready. */
  starting = false;

  readonly onDidChange = this.#changed.event;
  readonly onEvent = this.#events.event;

  constructor(options: () => ConnectOptions, memory: Memento, log: Log) {
    this.#options = options;
    this.#memory = memory;
    this.#log = log;
    const taskFiles = workspace.createFileSystemWatcher("**/exit.task.json");
    const lookAgain = (): void => this.look();
    this.#disposables = [
      this.#changed,
      this.#events,
      taskFiles,
      taskFiles.onDidCreate(lookAgain),
      taskFiles.onDidChange(lookAgain),
      taskFiles.onDidDelete(lookAgain),
      workspace.onDidGrantWorkspaceTrust(lookAgain),
      workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration("exitMl.model")) this.look();
      }),
      workspace.onDidChangeWorkspaceFolders(lookAgain),
    ];
  }

  known(): Known {
    const session = this.#session;
    return {
      hasTaskFile: this.#hasTaskFile,
      history: session?.history ?? new HistoryIndex(),
      board: session?.board ?? null,
      status: session?.status ?? null,
      readiness: session?.readiness ?? null,
      failure: session?.failure ?? null,
      doing: session?.doing ?? "",
      training: session?.training ?? null,
      exports: session?.exports ?? [],
      tuning: session?.tuning ?? null,
    };
  }

  /** Reads the history and what is missing, if there is anything to look at. */
  look(): void {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
  }

  async #look(): Promise<void> {
    const folder = this.#folder();
    if (!workspace.isTrusted || folder === null) return;
    this.#hasTaskFile =
      (await workspace.findFiles("**/exit.task.json", "**/{node_modules,.exit}/**", 1)).length > 0;
    // Without a task there is nothing a runner could tell: none is started.
    if (this.#hasTaskFile) await this.#open(folder).refresh();
    this.#changed.fire();
  }

  /**
   * The session of the folder the user works in.
   * @throws ExitError `not-trusted`, `no-folder`, and `cancelled` where several folders are open and none is chosen.
   */
  async current(): Promise<Session> {
    if (!workspace.isTrusted)
      throw new ExitError(
        "not-trusted",
        "This folder is in Restricted Mode, where ExIt ML runs nothing. Trust the folder first.",
      );
    const folder = this.#folder() ?? (await this.chooseFolder());
    return this.#open(folder);
  }

  async chooseFolder(): Promise<WorkspaceFolder> {
    if ((workspace.workspaceFolders ?? []).length === 0)
      throw new ExitError("no-folder", "Open a folder with machine-learning code first.");
    const picked = await window.showWorkspaceFolderPick({ placeHolder: "The folder to work in" });
    if (picked === undefined) throw new ExitError("cancelled", "No folder was chosen.");
    await this.#memory.update(chosenKey, picked.uri.fsPath);
    this.#open(picked);
    this.look();
    return picked;
  }

  /** A run of ours is being started until `work` settles. */
  async whileStarting<T>(work: () => Promise<T>): Promise<T> {
    this.starting = true;
    this.#changed.fire();
    try {
      return await work();
    } finally {
      this.starting = false;
      this.#changed.fire();
    }
  }

  dispose(): void {
    this.#session?.dispose();
    for (const disposable of this.#disposables) disposable.dispose();
  }

  /** The only folder, or the one chosen among several. */
  #folder(): WorkspaceFolder | null {
    const folders = workspace.workspaceFolders ?? [];
    const chosen = this.#memory.get<string>(chosenKey);
    return (
      folders.find(({ uri }) => uri.fsPath === chosen) ?? (folders.length === 1 ? (folders[0] ?? null) : null)
    );
  }

  #open({ uri }: WorkspaceFolder): Session {
    if (this.#session?.folder === uri.fsPath) return this.#session;
    this.#session?.dispose();
    const session = new Session(uri.fsPath, this.#options, this.#log);
    session.onDidChange(() => this.#changed.fire());
    session.onEvent((event) => this.#events.fire(event));
    this.#session = session;
    return session;
  }
}
