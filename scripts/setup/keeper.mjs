// Runs a program for as long as somebody holds our standard input open, then ends it and all that it started:
// `node keeper.mjs PROGRAM [ARGUMENT…]`, in a process group of its own. The owner's end closes with the owner,
// whichever way that one ends.
import { spawn, spawnSync } from "node:child_process";

const onWindows = process.platform === "win32";
const politeMs = 5000;

const [command = "", ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"] });

/** Our whole group: a program that was killed leaves its own children to nobody. */
function endAll() {
  if (onWindows) spawnSync("taskkill", ["/pid", String(child.pid), "/t", "/f"]);
  else process.kill(0, "SIGKILL");
  process.exit(0);
}

function end() {
  if (onWindows) endAll();
  process.kill(0, "SIGTERM");
  setTimeout(endAll, politeMs);
}

process.on("SIGTERM", () => {});
child.once("error", endAll);
child.once("exit", endAll);
for (const sign of ["end", "error"]) process.stdin.once(sign, end);
process.stdin.resume();
