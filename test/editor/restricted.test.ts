/** Restricted Mode: a folder nobody vouched for can neither have anything run nor be spoken to. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { protocolVersion } from "../../src/protocol/version.ts";
import { testWith } from "../support/without.ts";
import { openFolder } from "./session.ts";
import { copyOfExample, runnerPid, vsix } from "./workspace.ts";

// Elsewhere there is no /proc to look for runners in.
const it = process.platform === "linux" ? testWith("editor", "docker", "model") : test.skip;

it("runs nothing, writes nothing and calls nobody until the folder is trusted", async () => {
  const folder = copyOfExample("digits-config");
  const trap = await setTrap(folder);
  const before = entriesOf(folder);
  const window = await openFolder(folder, { vsix, trusted: false });
  const history = window.view("History");
  await window.openContainer("ExIt ML");
  const said = await history.welcome("It does nothing in Restricted Mode.");
  await window.view("Training").welcome("Nothing is trained in Restricted Mode.");
  await window.screenshot("restricted");
  expect(said.buttons).toEqual(["Manage Workspace Trust"]);

  const offered = await window.quick.commands("ExIt ML");
  expect(offered).toContain("ExIt ML: Show Log");
  expect(offered).not.toContain("ExIt ML: Iterate Solution");
  expect(offered).not.toContain("ExIt ML: Set Up Task");
  // After a reload the view is looked at from the start on.
  await window.reload();
  await window.openContainer("ExIt ML");
  await history.welcome("It does nothing in Restricted Mode.");
  await window.run("ExIt ML: Show Log");
  expect(trap.callers()).toBe(0);
  expect(runnersOf(folder)).toEqual([]);
  expect(entriesOf(folder)).toEqual(before);

  await window.trust();
  await window.openContainer("ExIt ML");
  await history.welcome("Everything is ready");
  await window.screenshot("trusted");
  expect(runnersOf(folder)).toHaveLength(1);
  // It was a trap that catches: a trusted folder's runner file is heeded.
  expect(trap.callers()).toBe(1);
});

/** A runner file in the folder that names a socket of ours as the runner's. */
async function setTrap(folder: string): Promise<{ callers: () => number }> {
  let callers = 0;
  const server = createServer((socket) => {
    callers++;
    socket.destroy();
  });
  const socket = join(folder, "trap.sock");
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  mkdirSync(join(folder, ".exit"));
  const file = join(folder, ".exit", "runner.json");
  // A process that lives, or the file would count as an old one's.
  const entry = { pid: process.pid, socket, protocol: protocolVersion, token: "trap" };
  writeFileSync(file, JSON.stringify(entry));
  onTestFinished(async () => {
    // Else this process would be ended, as the folder's runner.
    if (runnerPid(folder) === process.pid) rmSync(file);
    await new Promise((resolve) => server.close(resolve));
  });
  return { callers: () => callers };
}

const entriesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();

/** Command lines of the folder's runners. */
function runnersOf(folder: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(commandLine)
    .filter((command) => command.includes("runner.js") && command.includes(folder));
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return ""; // It is no more.
  }
}
