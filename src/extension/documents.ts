/** Read-only documents: the files of a revision, and texts about it. */
import {
  Disposable,
  EventEmitter,
  FileSystemError,
  type FileSystemProvider,
  FileType,
  Uri,
  workspace,
} from "vscode";
import { schemes } from "./ids.ts";
import type { Sessions } from "./runner/sessions.ts";

type Files = ReadonlyMap<string, Uint8Array>;

/** Revisions kept at hand; a revision never changes. */
const keptRevisions = 50;

export class Documents implements Disposable {
  readonly #sessions: Sessions;
  readonly #revisions = new Map<string, Promise<Files>>();
  readonly #texts = new Map<string, string>();
  readonly #registered: Disposable;

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
    this.#registered = Disposable.from(
      workspace.registerFileSystemProvider(schemes.revision, this.#revisionFiles(), { isReadonly: true }),
      workspace.registerTextDocumentContentProvider(schemes.text, {
        provideTextDocumentContent: ({ path }) =>
          this.#texts.get(path) ??
          "This text was made in an earlier session. Ask for it again from the tree.",
      }),
    );
  }

  /** The files of a node by path. */
  async files(node: string): Promise<Files> {
    const session = await this.#sessions.current();
    const key = `${session.folder}\n${node}`;
    const known = this.#revisions.get(key);
    if (known) return known;
    const read = session
      .call("solution", { node, task: null })
      .then(({ files }) => new Map(files.map(({ path, base64 }) => [path, Buffer.from(base64, "base64")])));
    read.catch(() => this.#revisions.delete(key));
    this.#revisions.set(key, read);
    const [oldest] = this.#revisions.keys();
    if (this.#revisions.size > keptRevisions && oldest !== undefined) this.#revisions.delete(oldest);
    return read;
  }

  fileUri(node: string, path: string): Uri {
    return Uri.from({ scheme: schemes.revision, path: `/${node}/${path}` });
  }

  /** A document of that name, such as `n12 prompt and reply`. */
  text(name: string, content: string): Uri {
    const uri = Uri.from({ scheme: schemes.text, path: `/${name}` });
    this.#texts.set(uri.path, content);
    return uri;
  }

  dispose(): void {
    this.#registered.dispose();
  }

  #revisionFiles(): FileSystemProvider {
    const changes = new EventEmitter<never>();
    const read = async (uri: Uri): Promise<Uint8Array> => {
      const [, node = "", ...path] = uri.path.split("/");
      const bytes = (await this.files(node)).get(path.join("/"));
      if (bytes === undefined) throw FileSystemError.FileNotFound(uri);
      return bytes;
    };
    const refuse = (): never => {
      throw FileSystemError.NoPermissions("Revisions never change. Apply one to work on it.");
    };
    return {
      onDidChangeFile: changes.event,
      watch: () => new Disposable(() => undefined),
      stat: async (uri) => ({ type: FileType.File, ctime: 0, mtime: 0, size: (await read(uri)).byteLength }),
      readFile: read,
      readDirectory: () => [],
      createDirectory: refuse,
      writeFile: refuse,
      delete: refuse,
      rename: refuse,
    };
  }
}
