/**
 * Self-tests of the sandbox, made once for an engine and an image and kept in the store. One in which something
 * is missing is made again for the next run: the user may have mended it.
 */
import { missing, type SelfTest, selfTestVersion } from "../core/guarantees.ts";
import type { Clock, ResolvedTask, Sandbox, SandboxInfo, Sha256, Store } from "../core/ports.ts";

export interface SelfTestParts {
  readonly sandbox: Sandbox;
  readonly store: Pick<Store, "selfTest" | "putSelfTest">;
  readonly clock: Pick<Clock, "now">;
  readonly sha256: Sha256;
}

/** Tries the sandbox, whatever is known of it. */
export async function tryAnew(
  task: ResolvedTask,
  info: SandboxInfo,
  { sandbox, store, clock, sha256 }: SelfTestParts,
  signal: AbortSignal,
): Promise<SelfTest> {
  const guarantees = await sandbox.selfTest(task, signal);
  const digest = sha256(JSON.stringify(guarantees.map(({ guarantee, held }) => [guarantee, held])));
  const made = { at: clock.now(), image: info.imageDigest, digest, guarantees };
  store.putSelfTest(keyOf(task, info), made);
  return made;
}

/** What a run may rely on. @param trying called if it has to be found out. */
export async function selfTestForRun(
  task: ResolvedTask,
  info: SandboxInfo,
  parts: SelfTestParts,
  trying: () => void,
  signal: AbortSignal,
): Promise<SelfTest> {
  const known = parts.store.selfTest(keyOf(task, info));
  if (known !== null && missing(known.guarantees).length === 0) return known;
  trying();
  return tryAnew(task, info, parts, signal);
}

/** What a score is made under: whatever was found last. */
export async function selfTestForScore(
  task: ResolvedTask,
  info: SandboxInfo,
  parts: SelfTestParts,
  signal: AbortSignal,
): Promise<SelfTest> {
  return parts.store.selfTest(keyOf(task, info)) ?? tryAnew(task, info, parts, signal);
}

function keyOf(task: ResolvedTask, { engine, version, boundary, imageDigest }: SandboxInfo): string {
  const gpus = task.definition.sandbox.gpus;
  return JSON.stringify([selfTestVersion, engine, version, boundary, imageDigest, gpus]);
}
