/** Getting a task's image: building it from the `build` section of the task file, or pulling the one it names. */
import { once } from "node:events";
import { Readable } from "node:stream";
import { pack } from "tar-stream";
import { ExitError, messageOf } from "../../core/errors.ts";
import type { TaskDefinition } from "../../core/task.ts";
import { connect, type Engine } from "./engine.ts";
import { statusOf } from "./failure.ts";
import { findImage, imageName } from "./image.ts";

/** Milliseconds without a word from the registry after which it counts as unreachable. */
const registryPatience = 60_000;

export interface BuiltImage {
  readonly image: string;
  readonly digest: string;
}

/**
 * Makes the image be there; nothing is done if it is. Only this step ever uses the network.
 * @throws ExitError `image-build-failed` with the engine's own words, `docker-unreachable`, `docker-denied`.
 */
export async function obtainImage(
  definition: TaskDefinition,
  progress: (text: string) => void,
  signal: AbortSignal,
): Promise<BuiltImage> {
  const engine = await connect(null);
  try {
    const known = await present(engine, definition);
    if (known !== null) return known;
    const { build } = definition.sandbox;
    const image = imageName(definition);
    try {
      if (build === undefined) await follow(await engine.docker.pull(image), progress, signal);
      else await buildFrom(engine, image, build, progress, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw new ExitError("image-build-failed", `The image ${image} could not be made: ${messageOf(error)}`, {
        cause: error,
      });
    }
    const made = await present(engine, definition);
    if (made === null)
      throw new ExitError("image-build-failed", `The engine made ${image} but does not list it.`);
    return made;
  } finally {
    engine.close();
  }
}

async function present(engine: Engine, definition: TaskDefinition): Promise<BuiltImage | null> {
  try {
    const { name, digest } = await findImage(engine, definition);
    return { image: name, digest };
  } catch (error) {
    if (error instanceof ExitError && error.reason === "image-missing") return null;
    throw error;
  }
}

async function buildFrom(
  engine: Engine,
  image: string,
  build: NonNullable<TaskDefinition["sandbox"]["build"]>,
  progress: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  try {
    await engine.docker.getImage(build.from).inspect();
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
    progress(`Pulling ${build.from}`);
    await follow(await engine.docker.pull(build.from), progress, signal);
  }
  progress(`Building ${image}`);
  const install = "RUN pip install --no-cache-dir -r /tmp/requirements.txt && rm /tmp/requirements.txt";
  const steps = build.requirements.length > 0 ? ["COPY requirements.txt /tmp/", install] : [];
  const context = pack();
  context.entry({ name: "Dockerfile" }, `${[`FROM ${build.from}`, ...steps].join("\n")}\n`);
  context.entry({ name: "requirements.txt" }, `${build.requirements.join("\n")}\n`);
  context.finalize();
  await follow(
    await engine.docker.buildImage(Readable.from(context), { t: image, rm: true, forcerm: true }),
    progress,
    signal,
  );
}

/** Reads the engine's progress lines to their end; one of them may be the error. */
async function follow(
  stream: NodeJS.ReadableStream,
  progress: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const source = stream as NodeJS.ReadableStream & { destroy(error?: Error): void };
  const give = (error: Error): void => source.destroy(error);
  let timer = setTimeout(give, registryPatience, new Error("the registry does not answer"));
  const abort = (): void => give(new Error("cancelled"));
  signal.addEventListener("abort", abort, { once: true });
  const ended = once(source, "close");
  try {
    let rest = "";
    for await (const chunk of source) {
      clearTimeout(timer);
      timer = setTimeout(give, registryPatience, new Error("the registry does not answer"));
      const lines = (rest + String(chunk)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) tell(line, progress);
    }
    tell(rest, progress);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
    source.destroy();
    await ended;
  }
}

function tell(line: string, progress: (text: string) => void): void {
  if (line.trim() === "") return;
  const { error, stream, status, id } = JSON.parse(line) as Record<string, string | undefined>;
  if (error !== undefined) throw new Error(error);
  const text = (stream ?? [status, id].filter(Boolean).join(" ")).trim();
  if (text !== "") progress(text);
}
