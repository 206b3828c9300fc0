/** The product as a user has it: the bundles of dist/, on a copy of an example. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, sep } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import type { Group, Node } from "../../src/core/history.ts";
import type { RunEvent } from "../../src/protocol/events.ts";

const execute = promisify(execFile);
const repository = join(import.meta.dirname, "..", "..");
const program = join(repository, "dist", "cli.js");

export interface Product {
  readonly folder: string;
  /** Runs a command and parses the one JSON document it prints. */
  json<T>(...args: string[]): Promise<T>;
  /** Runs a command whatever becomes of it. */
  call(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }>;
  /** Starts a run and yields its events as they come. */
  run(...args: string[]): Running;
  runnerPid(): number;
  tree(): Promise<readonly (Node & { best: boolean })[]>;
  group(id: string): Promise<Group>;
  /** Containers and volumes that carry this workspace's label. */
  leftovers(): Promise<readonly string[]>;
  remove(): Promise<void>;
}

export interface Running {
  readonly events: AsyncIterable<RunEvent>;
  /** Exit code. */
  readonly ended: Promise<number | null>;
  readonly child: ChildProcess;
}

export function copyOfExample(name: string): Product {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `exit-ml-${name}-`)));
  cpSync(join(repository, "examples", name), folder, {
    recursive: true,
    filter: (source) => !source.includes("/.exit"),
  });
  return productIn(folder);
}

/** Some of the small tasks of examples/family. */
export async function someOfTheFamily(tasks: readonly string[]): Promise<Product> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "exit-ml-family-")));
  const whole = join(folder, "whole");
  await execute("python3", [join(repository, "examples", "family", "make.py"), whole]);
  const needed = (path: string): boolean => {
    const [first, task] = relative(whole, path).split(sep);
    return first !== "tasks" || task === undefined || tasks.includes(task);
  };
  cpSync(whole, folder, { recursive: true, filter: needed });
  rmSync(whole, { recursive: true });
  return productIn(folder);
}

function productIn(folder: string): Product {
  const started = new Set<ChildProcess>();
  const call: Product["call"] = async (...args) => {
    try {
      const done = await execute(process.execPath, [program, "-C", folder, ...args], { maxBuffer: 1 << 26 });
      return { code: 0, ...done };
    } catch (error) {
      const failed = error as { code: number; stdout: string; stderr: string };
      return { code: failed.code, stdout: failed.stdout, stderr: failed.stderr };
    }
  };
  const json = async <T>(...args: string[]): Promise<T> => {
    const { code, stdout, stderr } = await call(...args, "--json");
    if (code !== 0) throw new Error(`exit-ml ${args.join(" ")} ended with ${code}: ${stderr}${stdout}`);
    return JSON.parse(stdout) as T;
  };
  const runnerPid = (): number =>
    (JSON.parse(readFileSync(join(folder, ".exit", "runner.json"), "utf8")) as { pid: number }).pid;
  return {
    folder,
    json,
    call,
    runnerPid,
    run(...args) {
      const child = spawn(process.execPath, [program, "-C", folder, "run", "--json", ...args], {
        stdio: ["ignore", "pipe", "pipe"],
      });
      started.add(child);
      const said: string[] = [];
      createInterface({ input: child.stderr }).on("line", (line) => said.push(line));
      const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
      void ended.then((code) => {
        started.delete(child);
        if (code !== 0) console.log(`run ended with ${code}: ${said.slice(-3).join(" | ")}`);
      });
      async function* events(): AsyncGenerator<RunEvent> {
        for await (const line of createInterface({ input: child.stdout })) yield JSON.parse(line) as RunEvent;
      }
      return { child, ended, events: events() };
    },
    tree: async () => (await json<{ nodes: (Node & { best: boolean })[] }>("tree")).nodes,
    group: (id) => json<Group>("show", id),
    async leftovers() {
      const label = createHash("sha256").update(folder).digest("hex").slice(0, 16);
      const filter = ["--filter", `label=exit-ml.workspace=${label}`, "-q"];
      const containers = await execute("docker", ["ps", "-a", ...filter]);
      const volumes = await execute("docker", ["volume", "ls", ...filter]);
      return `${containers.stdout}\n${volumes.stdout}`.split("\n").filter(Boolean);
    },
    async remove() {
      for (const child of started) child.kill("SIGKILL");
      try {
        const pid = runnerPid();
        process.kill(pid, "SIGTERM");
        await gone(pid);
      } catch {
        // No runner is left: nothing to end.
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Resolves when the process is no more. */
export async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A digest over every file below a folder, names and bytes. */
export function digestOf(folder: string): string {
  const hash = createHash("sha256");
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const file of files) hash.update(`${file}\0`).update(readFileSync(file));
  return hash.digest("hex");
}

export async function git(folder: string, ...args: string[]): Promise<string> {
  const identity = ["-c", "user.name=T", "-c", "user.email=t@example.org"];
  return (await execute("git", [...identity, "--no-optional-locks", "-C", folder, ...args])).stdout;
}
