/** What a run relies on its sandbox for, found out by trying: versions and settings promise too much. */
import { ExitError } from "./errors.ts";

/** Raised when a probe or the recipe of a container changes, so that what was found before is tried anew. */
export const selfTestVersion = 2;

interface Meaning {
  /** What it means if the guarantee is missing, as the end of "...: ". */
  readonly without: string;
  readonly mend: string;
  /** Good to know, but no run is refused for want of it. */
  readonly optional?: true;
}

const controllers =
  "Give the engine every cgroup controller: cgroup v2, or v1 with each controller mounted that /proc/self/cgroup names; rootless Docker needs systemd to delegate them.";

const meanings = {
  "container-runs": {
    without: "a container made by our recipe cannot be started and waited for",
    mend: "Mend what the engine complains of.",
  },
  "memory-limit": { without: "a revision can take all memory of the machine", mend: controllers },
  "oom-reported": { without: "a revision that runs out of memory would read as a crash", mend: controllers },
  "pids-limit": { without: "a revision that forks for ever can stop the machine", mend: controllers },
  "scratch-quota": {
    without: "a revision can fill memory by writing to /work",
    mend: "Use an engine whose local volumes take the options of tmpfs.",
  },
  "file-size-limit": {
    without: "a revision can write a file of any size",
    mend: "Use a runtime that applies ulimits.",
  },
  "network-none": {
    without: "a revision can reach a network",
    mend: 'Use an engine that knows the network "none".',
  },
  "vsock-closed": {
    without: "a revision can reach the machine that hosts this one",
    mend: "Use an engine that takes a filter of system calls, such as Docker on a kernel with seccomp.",
  },
  "no-new-privileges": {
    without: "a set-uid program of the image can gain privileges",
    mend: 'Use a runtime that knows "no-new-privileges".',
  },
  "no-capabilities": {
    without: "a revision has powers of root",
    mend: "Use a runtime that drops capabilities.",
  },
  "read-only-root": {
    without: "a revision can write outside /work and /tmp",
    mend: "Use a runtime that knows read-only root file systems.",
  },
  archive: {
    without: "files cannot be put into a stopped container and taken out of it",
    mend: "Use an engine with the archive calls, such as Docker 20.10 or newer.",
  },
  "kill-latency": {
    without: "a revision goes on for more than three seconds after its end",
    mend: "Give the machine less to do, or restart the engine.",
  },
  "inner-time-limit": {
    without: "a revision goes on without end if this program dies",
    mend: "Use an engine whose processors are x86_64 or aarch64.",
  },
  "log-driver": {
    without: "the engine keeps all a revision prints, without a limit",
    mend: 'Use an engine with the log driver "local" or "none".',
  },
  gpu: {
    without: "the task asks for a GPU and sees none",
    mend: "Install the container toolkit of the GPU's maker, or set sandbox.gpus to 0.",
  },
  runsc: {
    without: "there is no gVisor (runsc) to put a second wall around a revision",
    mend: "Install gVisor and register runsc with the engine.",
    optional: true,
  },
} as const satisfies Record<string, Meaning>;

export type GuaranteeName = keyof typeof meanings;
export const guaranteeNames = Object.keys(meanings) as [GuaranteeName, ...GuaranteeName[]];

/** What one probe found. */
export interface Guarantee {
  readonly guarantee: GuaranteeName;
  /** Null: it could not be found out, for the reason `measured` gives. */
  readonly held: boolean | null;
  /** What was tried and what came of it, one sentence without its full stop. */
  readonly measured: string;
}

/** A self-test of an engine with an image. */
export interface SelfTest {
  /** ISO 8601. */
  readonly at: string;
  /** Image by content. */
  readonly image: string;
  /** SHA-256 over which guarantees are held: equal for scores made under the same ones. */
  readonly digest: string;
  /** In the order of `guaranteeNames`. */
  readonly guarantees: readonly Guarantee[];
}

function meaningOf(name: GuaranteeName): Meaning {
  return meanings[name];
}

/** The guarantees a run would be refused for. */
export function missing(guarantees: readonly Guarantee[]): Guarantee[] {
  return guarantees.filter(({ guarantee, held }) => held === false && !meaningOf(guarantee).optional);
}

/** @throws ExitError `guarantee-missing` for every guarantee that is missing and not `allowed`. */
export function refuseMissing(guarantees: readonly Guarantee[], allowed: readonly GuaranteeName[]): void {
  const lacking = missing(guarantees).filter(({ guarantee }) => !allowed.includes(guarantee));
  if (lacking.length === 0) return;
  const lines = lacking.map((each) => `${sentence(each)} ${meaningOf(each.guarantee).mend}`);
  const options = lacking.map(({ guarantee }) => `--allow-missing ${guarantee}`).join(" ");
  throw new ExitError(
    "guarantee-missing",
    `The sandbox does not hold what a run relies on.\n${lines.join("\n")}\nTo run all the same: exit-ml run ${options}`,
  );
}

/** The guarantees a message of `guarantee-missing` names. */
export function missingIn(message: string): GuaranteeName[] {
  const named = new Set([...message.matchAll(/--allow-missing (\S+)/g)].map(([, name]) => name));
  return guaranteeNames.filter((name) => named.has(name));
}

/** What the user should know about guarantees that are missing or unknown. */
export function guaranteeWarnings(guarantees: readonly Guarantee[]): string[] {
  const unknown = guarantees.filter(({ held }) => held === null);
  return [...missing(guarantees), ...unknown].map(sentence);
}

/** One line about a guarantee, with what it means if it does not hold. */
export function sentence({ guarantee, held, measured }: Guarantee): string {
  if (held === true) return `${guarantee}: ${measured}.`;
  const { without, optional } = meaningOf(guarantee);
  if (optional) return `${guarantee} is not there, and no run needs it: ${without} (${measured}).`;
  return held === false
    ? `${guarantee} is missing: ${without} (${measured}).`
    : `${guarantee} is not known: ${measured}. Without it, ${without}.`;
}
