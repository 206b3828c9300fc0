// The image in which revisions run and are scored: there already, from a registry, or from Debian
// packages. Also a program of its own: `node scripts/setup/sandbox-image.mjs --json`.
import { installCommand } from "./apt.mjs";
import { inCache, prepareCache, readStamp, waiting, writeStamp } from "./cache.mjs";
import { findEngine } from "./docker.mjs";
import { inspectImage } from "./engine.mjs";
import { canBuildFromPackages, imageFromPackages } from "./image-from-packages.mjs";
import { imageFromRegistry } from "./image-from-registry.mjs";
import { withLock } from "./lock.mjs";
import { isMain } from "./process.mjs";

const sandboxImageName = "exit-ml/python:local";

/** Goes up whenever what is inside must change; an image that carries an older number is made anew. */
const recipe = "1";

/** @typedef {{ image: string, id: string, digest?: string | undefined, bytes: number, route: string }} SandboxImage */

/**
 * @param {{ host: string, image?: string, progress: (text: string) => void }} options
 * @returns {Promise<SandboxImage>} id: the engine's digest of the image's configuration
 */
export async function sandboxImage({ host, image = sandboxImageName, progress }) {
  return (
    (await present(host, image)) ??
    (await withLock(inCache("locks", "image.lock"), { onWait: waiting(progress) }, async () => {
      const meanwhile = await present(host, image);
      if (meanwhile) return meanwhile;
      const options = { host, image, labels: { "exit-ml.recipe": recipe }, progress };
      // Packed before on this machine: faster than any registry, and the same image as before.
      const packed = readStamp("sandbox-image") !== undefined;
      const made = (packed ? undefined : await imageFromRegistry(options)) ?? (await fromPackages(options));
      const found = await inspectImage(host, image);
      if (!found) throw new Error(`The engine accepted the image ${image} but does not list it.`);
      const record = { image, id: found.id, digest: found.digests[0], bytes: found.bytes, ...made };
      writeStamp("image", { version: recipe, ...record });
      return record;
    }))
  );
}

/** @param {string} host @param {string} image @returns {Promise<SandboxImage | undefined>} */
async function present(host, image) {
  const found = await inspectImage(host, image);
  // An image without our label is the user's own choice under this name: left alone.
  if (!found || (found.labels["exit-ml.recipe"] ?? recipe) !== recipe) return undefined;
  return { image, id: found.id, digest: found.digests[0], bytes: found.bytes, route: "present" };
}

/** @param {Parameters<typeof imageFromPackages>[0]} options */
function fromPackages(options) {
  if (canBuildFromPackages()) return imageFromPackages(options);
  throw new Error(
    `The engine reaches no image registry, and building ${options.image} from Debian packages needs root on Debian. ` +
      "What brings it: a connection for `docker pull python:3.12-slim`, or on Debian " +
      `\`${installCommand("debootstrap")} && sudo -E node scripts/setup/sandbox-image.mjs\``,
  );
}

/** @param {string[]} args @returns {Promise<number>} exit status */
async function main(args) {
  const json = args.includes("--json");
  const began = Date.now();
  /** @param {string} text */
  const progress = (text) => console.error(`[setup] sandbox image: ${text}`);
  try {
    prepareCache();
    const engine = await findEngine();
    if (!("host" in engine))
      throw new Error(`${engine.reason} What brings it: node scripts/setup/setup.mjs docker`);
    const made = await sandboxImage({ host: engine.host, progress });
    const seconds = Math.round((Date.now() - began) / 100) / 10;
    if (json) console.log(JSON.stringify({ ok: true, ...made, seconds }));
    else console.log(`${made.image} is ready (${made.id.slice(0, 19)}, ${made.route}).`);
    return 0;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (json) console.log(JSON.stringify({ ok: false, error: message }));
    console.error(message);
    return 1;
  }
}

if (isMain(import.meta.url)) process.exitCode = await main(process.argv.slice(2));
