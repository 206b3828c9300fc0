/** Who holds something: a process, told from a later one that was given the same id. */
import { readFileSync } from "node:fs";

export interface Holder {
  readonly pid: number;
  /** When it started, as this system tells it; "" where it does not. */
  readonly started: string;
}

/**
 * What tells this incarnation of a process id from another: the boot and the moment it started. Undefined if no
 * process has the id; "" if one has, but the system does not say since when (then the id alone has to do).
 */
function startOf(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives and is somebody else's.
    if (!(error instanceof Error && "code" in error && error.code === "EPERM")) return undefined;
  }
  if (process.platform !== "linux") return "";
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The program's name (field 2) may hold spaces and brackets: counted from its closing bracket.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()}:${fields[19]}`;
  } catch {
    return "";
  }
}

export function thisProcess(): Holder {
  return { pid: process.pid, started: startOf(process.pid) ?? "" };
}

export function isAlive({ pid, started }: Holder): boolean {
  const now = startOf(pid);
  return now !== undefined && (now === "" || started === "" || now === started);
}
