// A sandbox image without any image registry: a small Debian system with Python's scientific packages,
// laid out in a folder by debootstrap, packed into one tar file, imported by the engine. The tar file
// stays in the cache, so that an engine which lost the image has it again in seconds.
import fs from "node:fs";
import path from "node:path";
import { canInstallPackages, installPackages, isRoot } from "./apt.mjs";
import { inCache, installOnce, logFile, removeFolder, removeStamp } from "./cache.mjs";
import { checkProgressAnswer, request } from "./engine.mjs";
import { ask, findProgram, runLogged } from "./process.mjs";

const suite = "bookworm";
const contents = ["python3-minimal", "python3-sklearn", "python3-pandas", "python3-numpy"];
const version = `1 ${suite} ${contents.join(" ")}`;
const part = "sandbox-image";
const tarFile = () => inCache(part, "python.tar");

/** What a sandbox has no use for; the last four hold a container engine's own files at run time. */
const leftOut = [
  "usr/share/doc",
  "usr/share/man",
  "usr/share/locale",
  "var/cache/apt",
  "var/lib/apt/lists",
  "var/log",
  "proc",
  "sys",
  "dev",
  "run",
];

/** @returns {boolean} can this machine build the image, or has it the finished file? */
export function canBuildFromPackages() {
  return fs.existsSync(tarFile()) || (process.platform === "linux" && canInstallPackages());
}

/**
 * @param {{ host: string, image: string, labels: Record<string, string>, progress: (text: string) => void }} options
 */
export async function imageFromPackages({ host, image, labels, progress }) {
  const { fresh } = await installOnce({
    part,
    version,
    present: () => fs.existsSync(tarFile()),
    install: (work) => buildTar(work, progress),
    progress,
  });
  progress("importing (about 10 s)");
  try {
    await importTar(host, image, labels);
  } catch (error) {
    // A damaged file would fail for ever: the next set-up makes it anew.
    if (!fresh) removeStamp(part);
    throw error;
  }
  return { route: fresh ? "packages" : "cached packages" };
}

/** @param {string} work @param {(text: string) => void} progress */
async function buildTar(work, progress) {
  if (!isRoot()) throw new Error("Laying out a Debian system needs root.");
  if (!findProgram("debootstrap")) {
    progress("installing debootstrap");
    await installPackages(["debootstrap"], "Installing debootstrap");
  }
  progress("building from Debian packages (one to four minutes)");
  const log = logFile(part);
  const system = path.join(work, "system");
  const args = ["--variant=minbase", `--include=${contents.join(",")}`, suite, system, ...(await mirror())];
  const debootstrap = findProgram("debootstrap") ?? "debootstrap";
  // It mounts /proc inside the new system. In a mount namespace of its own, whatever ends it takes those
  // mounts away too, and nobody ever deletes through them.
  const apart = (await ask("unshare", ["--mount", "true"])) !== undefined;
  const [command, all] = apart ? ["unshare", ["--mount", debootstrap, ...args]] : [debootstrap, args];
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  await runLogged(command, all, { log, limitSeconds: 1800, what: "Building the sandbox image", env });
  // As in the usual Python images, so that a task may say either name.
  fs.symlinkSync("python3", path.join(system, "usr/bin/python"));
  progress("packing");
  const draft = path.join(work, "python.tar");
  const exclude = leftOut.map((folder) => `--exclude=./${folder}/*`);
  await runLogged("tar", ["-C", system, "--numeric-owner", ...exclude, "-cf", draft, "."], {
    log,
    limitSeconds: 600,
    what: "Packing the sandbox image",
  });
  fs.mkdirSync(path.dirname(tarFile()), { recursive: true });
  fs.renameSync(draft, tarFile());
  removeFolder(system);
  return { bytes: fs.statSync(tarFile()).size };
}

/** The mirror this machine's own apt uses for the suite, if it has one; else debootstrap's default. */
async function mirror() {
  const format = "$(CODENAME) $(COMPONENT) $(REPO_URI)";
  const lines = (await ask("apt-get", ["indextargets", "--format", format]))?.split("\n") ?? [];
  const line = lines.find((text) => text.startsWith(`${suite} main http`));
  return line ? [line.split(" ")[2] ?? ""] : [];
}

/** @param {string} host @param {string} image @param {Record<string, string>} labels */
async function importTar(host, image, labels) {
  const [repo = image, tag = "latest"] = image.split(/:(?=[^/:]+$)/);
  const query = new URLSearchParams({ fromSrc: "-", repo, tag });
  const changes = [
    "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8",
    'CMD ["python3"]',
    ...Object.entries(labels).map(([name, value]) => `LABEL ${name}=${JSON.stringify(value)}`),
  ];
  for (const change of changes) query.append("changes", change);
  const answer = await request(host, "POST", `/images/create?${query}`, {
    body: fs.createReadStream(tarFile()),
    headers: { "Content-Type": "application/x-tar" },
    limitSeconds: 600,
  });
  checkProgressAnswer(answer, "Importing the sandbox image");
}
