/** One container with its working directory, handled as a revision's is, and what its command finds out. */
import { extract } from "tar-stream";
import { messageOf } from "../../../core/errors.ts";
import type { Guarantee, GuaranteeName } from "../../../core/guarantees.ts";
import { briefly, opening } from "../engine.ts";
import { statusOf } from "../failure.ts";
import { createHolders } from "../holder.ts";
import { workdir } from "../recipe.ts";
import { volumeMount } from "../scratch.ts";
import { seedArchive } from "../seed.ts";
import { type Facts, factsOf, putIn, quota, script, takenOut, within } from "./inside.ts";
import { lifetimeMs, type Probing, runToEnd, withContainer } from "./probe-container.ts";
import { vsockScript } from "./vsock.ts";

export const lookedFor = [
  "container-runs",
  "log-driver",
  "archive",
  "no-new-privileges",
  "no-capabilities",
  "network-none",
  "vsock-closed",
  "read-only-root",
  "file-size-limit",
  "scratch-quota",
  "pids-limit",
] as const satisfies readonly GuaranteeName[];

export async function look(probing: Probing): Promise<Guarantee[]> {
  const { engine, owner, tidying } = probing.kit;
  const holders = createHolders({ engine, owner, tidying, image: probing.image, disk: quota });
  const scratch = await holders.take(null, lifetimeMs);
  const mounts = [volumeMount(scratch.volume, workdir)];
  try {
    return await withContainer(probing, { command: ["true"], mounts }, (hatch) =>
      withContainer(
        probing,
        { command: ["sh", "-c", script, "sh", vsockScript], mounts },
        async (container) => {
          const refused = await putSeed(hatch);
          const { HostConfig } = await container.inspect(briefly());
          const { ending, state, printed } = await runToEnd(probing, container);
          const facts = factsOf(printed);
          if (facts("root").length === 0)
            return [runs(false, `its script ended with ${state.ExitCode} ${state.Error}`)];
          return [
            runs(true, `created, started and ended in ${Math.round(ending.ms)} ms`),
            logDriver(HostConfig.LogConfig),
            archive(facts, await takeOut(probing, hatch), refused),
            ...within(facts, printed.split("\n")),
          ];
        },
      ),
    );
  } finally {
    // It has containers of its own recipe.
    tidying.add(() => scratch.hatch.remove());
    scratch.release(() => undefined);
    holders.close();
  }
}

function runs(held: boolean, measured: string): Guarantee {
  return { guarantee: "container-runs", held, measured };
}

type Hatch = Parameters<Parameters<typeof withContainer>[2]>[0];

/** Puts a file into /work. @returns why the engine refused, null if it did not */
async function putSeed(hatch: Hatch): Promise<string | null> {
  const seed = [{ path: "in", bytes: new TextEncoder().encode(`${putIn}\n`), executable: false }];
  try {
    await hatch.putArchive(await seedArchive(seed, []), { path: workdir, ...briefly() });
    return null;
  } catch (error) {
    if (statusOf(error) === null) throw error;
    return messageOf(error).trim();
  }
}

/** What the file holds that the script left, null if the engine gives none. */
async function takeOut({ signal }: Probing, hatch: Hatch): Promise<string | null> {
  try {
    const path = `${workdir}/out`;
    const stream = await opening((abortSignal) => hatch.getArchive({ path, abortSignal }), signal);
    let content = "";
    for await (const entry of (stream as NodeJS.ReadableStream).pipe(extract()))
      for await (const chunk of entry as AsyncIterable<Buffer>) content += chunk.toString();
    return content.trim();
  } catch (error) {
    if (statusOf(error) === null) throw error;
    return null;
  }
}

function archive(facts: Facts, taken: string | null, refused: string | null): Guarantee {
  const is = (held: boolean, measured: string): Guarantee => ({ guarantee: "archive", held, measured });
  if (refused !== null) return is(false, `the engine refused a file: ${refused}`);
  if (!facts("found").includes(putIn)) return is(false, "a file that was put in was not there");
  if (taken !== takenOut) return is(false, "a file that was left there could not be taken out");
  return is(true, "a file was put in and another taken out through a container that never ran");
}

function logDriver(log: { Type?: string; Config?: unknown } | undefined): Guarantee {
  const type = log?.Type ?? "unknown";
  const size = (log?.Config as Record<string, string> | null | undefined)?.["max-size"];
  const held = type === "none" || (type === "local" && size !== undefined);
  return {
    guarantee: "log-driver",
    held,
    measured: `the engine took "${type}"${type === "none" ? "" : `, ${size ?? "without limit"}`}`,
  };
}
