/**
 * Takes the outputs out of a container in which nothing runs. The archive is written by the engine, but what is
 * in it was made by the revision: only regular files the task asked for are kept, everything is counted.
 */
import { createHash } from "node:crypto";
import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Container } from "dockerode";
import { extract } from "tar-stream";
import { ExitError, messageOf } from "../../core/errors.ts";
import type { ResolvedTask } from "../../core/ports.ts";
import { isSelfLoading } from "../../core/self-loading.ts";
import { searchFor } from "./canary.ts";
import { opening } from "./engine.ts";
import { statusOf } from "./failure.ts";
import { foldersAbove } from "./mounts.ts";
import { workdir } from "./recipe.ts";

const mostEntries = 100_000;
const mostFiles = 4_096;
const deepest = 32;
const longestPath = 1_024;
const silence = 12_000;

export interface Collected {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** The outputs cannot be taken, and the revision is to blame. */
function refusal(message: string): ExitError {
  return new ExitError("outputs-refused", message);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused.
const unprintable = /[\u0000-\u001f\u007f\\]/;

/** One spelling for names that some file systems hold for the same. */
function folded(path: string): string {
  return path.normalize("NFC").toLowerCase();
}

/** Is this path an output that may lie beside the evaluator's own files? */
function createFilter(task: ResolvedTask): (path: string) => boolean {
  const own = [...task.hidden.files, ...task.inputs.files];
  const files = new Set(own.map(folded));
  const folders = new Set(own.flatMap(foldersAbove).map(folded));
  return (path) => {
    const name = folded(path);
    return (
      task.isOutputPath(path) &&
      !unprintable.test(path) &&
      !files.has(name) &&
      !folders.has(name) &&
      !foldersAbove(name).some((folder) => files.has(folder))
    );
  };
}

/**
 * Reads a stopped or never started container and writes the outputs in it below `folder`, an empty folder of ours,
 * readable by anyone.
 * @throws ExitError `outputs-refused` if there are too many, too large, too deep or ambiguous files; the engine's error; the
 * signal's reason.
 */
export async function collect(
  container: Container,
  task: ResolvedTask,
  wanted: Wanted,
  folder: string,
  signal: AbortSignal,
): Promise<Collection> {
  const collection: Collection = {
    accepts: createFilter(task),
    folder,
    wanted,
    leak: null,
    entries: 0,
    bytes: 0,
    files: [],
    leftOut: [],
    names: new Set(),
  };
  for (const root of wanted.roots ?? [""]) await collectRoot(container, root, collection, signal);
  return collection;
}

interface Wanted {
  /** Paths inside the working directory; null: all of it. */
  readonly roots: readonly string[] | null;
  /** Bytes the archive's files may have together. */
  readonly limit: number;
  /** A word that no output may contain. */
  readonly canary: string;
}

/** What was taken. */
interface Collection {
  readonly accepts: (path: string) => boolean;
  readonly folder: string;
  readonly wanted: Wanted;
  readonly files: Collected[];
  /** Files the task asked for that programs load by themselves: kept out all the same. */
  readonly leftOut: string[];
  readonly names: Set<string>;
  /** The output in which the canary was found. */
  leak: string | null;
  entries: number;
  bytes: number;
}

async function collectRoot(
  container: Container,
  root: string,
  collection: Collection,
  signal: AbortSignal,
): Promise<void> {
  const archive = await openArchive(container, root === "" ? workdir : `${workdir}/${root}`, signal);
  if (archive === null) return;
  const tar = extract();
  const quiet = setTimeout(
    () => archive.destroy(new DOMException("The engine is silent.", "TimeoutError")),
    silence,
  );
  archive.on("data", () => quiet.refresh());
  archive.on("error", (error) => tar.destroy(error));
  archive.pipe(tar);
  try {
    for await (const entry of tar) {
      const { name, type, size = 0 } = entry.header;
      const path = pathOf(name, root);
      collection.entries += 1;
      collection.bytes += size;
      if (collection.entries > mostEntries) throw refusal(`There are more than ${mostEntries} files.`);
      if (collection.bytes > collection.wanted.limit)
        throw refusal(`The files are larger than ${collection.wanted.limit} bytes.`);
      const wanted = type === "file" && path !== null && collection.accepts(path);
      if (wanted && !isSelfLoading(path)) await keep(entry, path, collection);
      else entry.resume();
      if (wanted && isSelfLoading(path)) collection.leftOut.push(path);
    }
  } finally {
    clearTimeout(quiet);
    archive.destroy();
  }
  signal.throwIfAborted();
}

type Archive = NodeJS.ReadableStream & { destroy(error?: Error): void };

/** Null if there is no such path. */
async function openArchive(container: Container, path: string, signal: AbortSignal): Promise<Archive | null> {
  try {
    const stream = await opening((abortSignal) => container.getArchive({ path, abortSignal }), signal);
    return stream as Archive;
  } catch (error) {
    if (statusOf(error) === 404) return null;
    // The engine follows links on the way to the path, and gives up on those that lead in a circle.
    if (statusOf(error) === 500 && /too many (links|levels of symbolic links)/i.test(messageOf(error)))
      throw refusal(`${path} is a link that leads in a circle.`);
    throw error;
  }
}

/** Path of an entry inside the working directory; entries begin with the name of what was asked for. */
function pathOf(name: string, root: string): string | null {
  const parts = name.replace(/\/$/, "").split("/");
  if (root === "") parts.shift();
  if (parts.some((part) => part === "" || part === "." || part === "..")) return null;
  return parts.join("/") || null;
}

async function keep(content: AsyncIterable<unknown>, path: string, collection: Collection): Promise<void> {
  if (path.length > longestPath || path.split("/").length > deepest)
    throw refusal("A path is too long or too deep.");
  if (collection.files.length >= mostFiles) throw refusal(`There are more than ${mostFiles} outputs.`);
  if (collection.names.has(folded(path)))
    throw refusal(`Two outputs differ only in the spelling of ${JSON.stringify(path)}.`);
  collection.names.add(folded(path));
  const target = join(collection.folder, path);
  await mkdir(dirname(target), { recursive: true, mode: 0o755 });
  const file = await open(target, "wx");
  const hash = createHash("sha256");
  const search = searchFor(collection.wanted.canary);
  search.push(Buffer.from(`${path}\n`));
  let bytes = 0;
  try {
    for await (const chunk of content as AsyncIterable<Buffer>) {
      hash.update(chunk);
      search.push(chunk);
      bytes += chunk.length;
      await file.writeFile(chunk);
    }
    // Whatever the umask: the evaluator runs as nobody.
    await file.chmod(0o644);
  } finally {
    await file.close();
  }
  if (search.found()) collection.leak ??= path;
  collection.files.push({ path, bytes, sha256: hash.digest("hex") });
}
