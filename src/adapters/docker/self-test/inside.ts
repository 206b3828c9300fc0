/**
 * What a command finds out about its own container: a script tries everything that ends by itself and prints a
 * line for each fact. Plain `sh`; what the image lacks the tools for stays unknown.
 */
import type { Guarantee, GuaranteeName } from "../../../core/guarantees.ts";
import { workdir } from "../recipe.ts";
import { limits } from "./probe-container.ts";
import { vsockClosed } from "./vsock.ts";

const mebibyte = 2 ** 20;
/** Bytes of the volume the script fills. */
export const quota = 8 * mebibyte;
/** More processes than the limit lets start. */
const manyProcesses = 2 * limits.pids;
/** Seconds after which a shell that tries to fork again and again is ended. */
const forkingSeconds = 5;
/** What the file `in` holds, and what the script leaves in the file `out`. */
export const putIn = "put-in";
export const takenOut = "taken-out";

/** Its first argument is `vsockScript`. */
export const script = `
while read -r name value; do
  case $name in NoNewPrivs: | Cap*:) echo "$name $value" ;; esac
done < /proc/self/status
while read -r name value; do
  case $name in *:*) echo "interface \${name%%:*}" ;; esac
done < /proc/net/dev
while read -r device place type options rest; do
  [ "$place" = / ] && echo "root $options"
done < /proc/mounts
for folder in / /etc /home /opt /root /srv /usr/local /var /var/lib /var/tmp; do
  (: > "$folder/exit-ml-probe") 2> /dev/null && echo "written $folder"
done
read -r value < ${workdir}/in && echo "found $value"
echo ${takenOut} > ${workdir}/out
if command -v dd > /dev/null && command -v wc > /dev/null; then
  dd if=/dev/zero of=${workdir}/large bs=${mebibyte} count=${(2 * limits.fileSize) / mebibyte}
  echo "large $(wc -c < ${workdir}/large)"
  rm ${workdir}/large
  for part in 1 2 3 4 5 6; do dd if=/dev/zero of=${workdir}/part$part bs=${mebibyte} count=3; done
  echo "filled $(cat ${workdir}/part* | wc -c)"
  rm ${workdir}/part*
fi
command -v python3 > /dev/null && python3 -I -c "$1"
if command -v sleep > /dev/null; then
  (sleep ${forkingSeconds}; kill -9 $$) > /dev/null 2>&1 &
  (
    count=0
    while [ $count -lt ${manyProcesses} ]; do
      sleep 30 &
      count=$((count + 1))
      echo "processes $count"
    done
  ) 2>&1
fi
exit 0
`;

/** Printed lines by their first word. */
export type Facts = (name: string) => readonly string[];

export function factsOf(printed: string): Facts {
  const lines = printed.split("\n").map((line) => line.trim());
  return (name) =>
    lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1).trim());
}

export function within(facts: Facts, said: readonly string[]): Guarantee[] {
  return [
    noNewPrivileges(facts),
    noCapabilities(facts),
    networkNone(facts),
    vsockClosed(facts("vsock")),
    readOnlyRoot(facts),
    fileSizeLimit(facts),
    scratchQuota(facts),
    pidsLimit(facts, said),
  ];
}

/** @param held null where nothing was measured */
function finding(
  guarantee: GuaranteeName,
  held: boolean | null,
  measured: string,
  unknown: string,
): Guarantee {
  return { guarantee, held, measured: held === null ? unknown : measured };
}

function noNewPrivileges(facts: Facts): Guarantee {
  const [value] = facts("NoNewPrivs:");
  const held = value === undefined ? null : value === "1";
  return finding("no-new-privileges", held, `NoNewPrivs is ${value}`, "the kernel does not tell NoNewPrivs");
}

function noCapabilities(facts: Facts): Guarantee {
  const sets = ["CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"].flatMap((name) =>
    facts(`${name}:`).map((value) => ({ name, value })),
  );
  const some = sets.filter(({ value }) => /[^0]/.test(value));
  const measured =
    some.length === 0
      ? `${sets.map(({ name }) => name).join(", ")} are empty`
      : some.map(({ name, value }) => `${name} is ${value}`).join(", ");
  const held = sets.length === 0 ? null : some.length === 0;
  return finding("no-capabilities", held, measured, "the kernel does not tell capabilities");
}

function networkNone(facts: Facts): Guarantee {
  const interfaces = facts("interface");
  const held = interfaces.length === 0 ? null : interfaces.every((name) => name === "lo");
  return finding(
    "network-none",
    held,
    `the only interfaces are ${interfaces.join(", ")}`.replace("interfaces are lo", "interface is lo"),
    "/proc/net/dev lists no interface",
  );
}

function readOnlyRoot(facts: Facts): Guarantee {
  const mounted = facts("root").at(-1)?.split(",") ?? [];
  const written = facts("written");
  const measured =
    written.length > 0
      ? `files could be made in ${written.join(", ")}`
      : `mounted ${mounted.includes("ro") ? "ro" : "rw"}, no file could be made outside /work and /tmp`;
  return { guarantee: "read-only-root", held: mounted.includes("ro") && written.length === 0, measured };
}

function numberOf(text: string | undefined): number | null {
  const value = Number(text || Number.NaN);
  return Number.isFinite(value) ? value : null;
}

const nothingWritten = "no file could be written to /work, or the image lacks dd or wc";

function fileSizeLimit(facts: Facts): Guarantee {
  const size = numberOf(facts("large")[0]);
  const held = size === null ? null : size <= limits.fileSize;
  const measured = `a file under a limit of ${limits.fileSize} bytes grew to ${size}`;
  return finding("file-size-limit", held, measured, nothingWritten);
}

function scratchQuota(facts: Facts): Guarantee {
  const size = numberOf(facts("filled")[0]);
  // Nothing written at all shows no limit either.
  const held = size === null || size === 0 ? null : size <= quota;
  const measured = `a volume of ${quota} bytes took ${size}`;
  return finding("scratch-quota", held, measured, nothingWritten);
}

function pidsLimit(facts: Facts, said: readonly string[]): Guarantee {
  const count = numberOf(facts("processes").at(-1));
  // A loop that only came to too few says nothing: the shell must have complained.
  const complained = said.some((line) => /\bfork/i.test(line));
  const held = count === null || (count < manyProcesses && !complained) ? null : count < limits.pids;
  const measured = `under a limit of ${limits.pids} processes ${count} could be started`;
  return finding(
    "pids-limit",
    held,
    measured,
    count === null ? "the image lacks sleep" : `${measured} in the time given`,
  );
}
