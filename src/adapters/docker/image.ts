/** The image a task runs in. */
import { createHash } from "node:crypto";
import { ExitError } from "../../core/errors.ts";
import type { TaskDefinition } from "../../core/task.ts";
import { type Engine, inTime } from "./engine.ts";
import { statusOf } from "./failure.ts";

/** Name of the image: the one the task names, or the one built from its `build` section. */
export function imageName(definition: TaskDefinition): string {
  const { image, build } = definition.sandbox;
  if (image !== undefined) return image;
  return `exit-ml/built:${createHash("sha256").update(JSON.stringify(build)).digest("hex").slice(0, 12)}`;
}

export interface Image {
  readonly name: string;
  /** Content digest; containers are made from it, so that a tag moved meanwhile changes nothing. */
  readonly digest: string;
}

/** @throws ExitError `image-missing`. */
export async function findImage(engine: Engine, definition: TaskDefinition): Promise<Image> {
  const name = imageName(definition);
  try {
    const found = await inTime(engine.docker.getImage(name).inspect());
    return { name, digest: found.Id };
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
    throw new ExitError(
      "image-missing",
      definition.sandbox.build === undefined
        ? `The image ${name} is not on this machine. Run "docker pull ${name}", or "exit-ml image build" if the task can build it.`
        : `The image of task ${definition.name} has not been built yet. Run "exit-ml image build".`,
      { cause: error },
    );
  }
}
