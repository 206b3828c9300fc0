/** An environment made on demand: by the real Python of this machine, with nothing to fetch. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { processesOf } from "../../../scripts/test/leftovers.mjs";
import { thisProcess } from "../../../src/adapters/leases/holder.ts";
import { withLock } from "../../../src/adapters/leases/lock.ts";
import { makeEnvironment, type Recipe } from "../../../src/adapters/trainer/make-environment.ts";
import { trainerPackage } from "./parts.ts";

const never = new AbortController().signal;

let folder: string;
let said: string[];
const say = (text: string) => said.push(text);

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "exit-ml-environment-")));
  said = [];
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

function recipe(requirements: string, change: Partial<Recipe> = {}): Recipe {
  const file = join(folder, "requirements.txt");
  writeFileSync(file, requirements);
  return {
    folder: join(folder, "trainer"),
    requirements: file,
    proof: "import pip",
    bytes: 1,
    trainer: trainerPackage,
    lock: join(folder, "locks", "trainer.lock"),
    withLock,
    log: join(folder, "logs", "trainer.log"),
    ...change,
  };
}

const made = () => existsSync(join(folder, "trainer"));
const working = () => processesOf({ mark: "none of these", folder });

test("it is made once, also where two are at it, and anew when what it must hold changes", async () => {
  mkdirSync(join(folder, "locks"));
  // A maker that died: no process has so high a number.
  const dead = JSON.stringify({ pid: 2 ** 30, started: "", token: "dead" });
  writeFileSync(join(folder, "locks", "trainer.lock"), dead);
  const wanted = recipe("# nothing\n");
  await Promise.all([makeEnvironment(wanted, say, never), makeEnvironment(wanted, say, never)]);
  expect(said.filter((text) => text.includes("is ready"))).toHaveLength(1);
  expect(said).toContain(
    `Waiting for process ${process.pid}, which is making the trainer's environment and holds ${wanted.lock}.`,
  );
  expect(readdirSync(join(folder, "locks"))).toEqual([]);
  expect(readdirSync(join(folder, "trainer"))).not.toContain("archives");

  const ours = join(folder, "trainer", "ours");
  writeFileSync(ours, "");
  said = [];
  await makeEnvironment(wanted, say, never);
  expect({ said, kept: existsSync(ours) }).toEqual({ said: [], kept: true });
  await makeEnvironment(recipe("# nothing else\n"), say, never);
  expect(existsSync(ours)).toBe(false);
  expect(working()).toEqual([]);
});

test("a maker whose process id was given to another program is passed over", async () => {
  mkdirSync(join(folder, "locks"));
  const { pid, started } = thisProcess();
  expect(started).not.toBe("");
  const earlier = JSON.stringify({ pid, started: `${started}0`, token: "earlier" });
  writeFileSync(join(folder, "locks", "trainer.lock"), earlier);
  await makeEnvironment(recipe("# nothing\n"), say, never);
  expect(said.filter((text) => text.startsWith("Waiting"))).toEqual([]);
  expect(made()).toBe(true);
});

test("cancelled, it leaves nothing half made and no process", async () => {
  const cancel = new AbortController();
  const silent = createServer(() => cancel.abort(new Error("enough"))); // Asked for a package, it never answers.
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { port } = silent.address() as AddressInfo;
  try {
    const making = makeEnvironment(
      recipe(`--index-url http://127.0.0.1:${port}\nnothing-of-this-name\n`),
      say,
      cancel.signal,
    );
    await expect(making).rejects.toThrow("enough");
  } finally {
    silent.closeAllConnections();
    silent.close();
  }
  expect({ made: made(), locks: readdirSync(join(folder, "locks")), working: working() }).toEqual({
    made: false,
    locks: [],
    working: [],
  });
});

test("an index that cannot be reached is told with what to do", async () => {
  vi.stubEnv("PIP_RETRIES", "0");
  const making = makeEnvironment(
    recipe("--index-url http://127.0.0.1:9\nnothing-of-this-name\n"),
    say,
    never,
  );
  await expect(making).rejects.toMatchObject({
    reason: "trainer-environment",
    message: expect.stringMatching(/index cannot be reached.*PIP_INDEX_URL.*logs\/trainer\.log/s),
  });
  expect(made()).toBe(false);
});

test("packages that cannot be imported are no environment", async () => {
  const making = makeEnvironment(recipe("", { proof: "import nothing_of_this_name" }), say, never);
  await expect(making).rejects.toMatchObject({
    reason: "trainer-environment",
    message: expect.stringContaining("nothing_of_this_name"),
  });
  expect(made()).toBe(false);
});

test("too little room is told before anything is fetched", async () => {
  const making = makeEnvironment(recipe("", { bytes: 1e18 }), say, never);
  await expect(making).rejects.toThrow(
    /takes about 1000000000\.0 GB while it is made, and .* has [0-9.]+ GB free/,
  );
  expect({ made: made(), said }).toEqual({ made: false, said: [] });
});

test("without a Python that is new enough the user is told how to get one", async () => {
  vi.stubEnv("PATH", folder);
  await expect(makeEnvironment(recipe(""), say, never)).rejects.toThrow("Python 3.11 or newer with venv");
  expect(made()).toBe(false);
});
