// The usual way to a sandbox image: Python's own image from a registry, with three packages added.
import { checkProgressAnswer, inspectImage, request } from "./engine.mjs";

const base = "python:3.12-slim";
const packages = ["numpy==2.2.6", "pandas==2.2.3", "scikit-learn==1.6.1"];

/**
 * @param {{ host: string, image: string, labels: Record<string, string>, progress: (text: string) => void }} options
 * @returns {Promise<{ route: string, base?: string | undefined } | undefined>} undefined: no registry answers
 */
export async function imageFromRegistry({ host, image, labels, progress }) {
  if (!(await inspectImage(host, base)) && !(await pull(host, progress))) return undefined;
  progress(`building on ${base} (about 60 s)`);
  const query = new URLSearchParams({
    t: image,
    labels: JSON.stringify(labels),
    rm: "true",
    forcerm: "true",
  });
  const dockerfile = `FROM ${base}\nRUN pip install --no-cache-dir --no-compile ${packages.join(" ")} && python -m compileall -q /usr/local/lib\n`;
  const answer = await request(host, "POST", `/build?${query}`, {
    body: tarOf("Dockerfile", dockerfile),
    headers: { "Content-Type": "application/x-tar" },
    limitSeconds: 1200,
  });
  checkProgressAnswer(answer, "Building the sandbox image");
  return { route: "registry", base: (await inspectImage(host, base))?.digests[0] };
}

/**
 * @param {string} host
 * @param {(text: string) => void} progress
 * @returns {Promise<boolean>}
 */
async function pull(host, progress) {
  progress(`asking for ${base}`);
  const [fromImage = "", tag = ""] = base.split(":");
  try {
    // The engine tells of its progress all the time: silence means that nothing answers it.
    const answer = await request(host, "POST", `/images/create?${new URLSearchParams({ fromImage, tag })}`, {
      limitSeconds: 900,
      silenceSeconds: 15,
    });
    checkProgressAnswer(answer, `Pulling ${base}`);
    return true;
  } catch {
    return false;
  }
}

/**
 * The smallest tar archive: one file.
 * @param {string} name
 * @param {string} text
 */
export function tarOf(name, text) {
  const content = Buffer.from(text);
  const header = Buffer.alloc(512);
  /** @param {number} value @param {number} width */
  const octal = (value, width) => `${value.toString(8).padStart(width - 1, "0")}\0`;
  header.write(name, 0);
  header.write(octal(0o644, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  header.write(octal(content.length, 12), 124);
  header.write(octal(0, 12), 136);
  header.write("        ", 148);
  header.write("0ustar\0" + "00", 156);
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([header, content, padding, Buffer.alloc(1024)]);
}
