/** `doctor` names everything that is missing, part by part. */
import { expect, test } from "vitest";
import { type DoctorParts, examine } from "../../../src/app/doctor.ts";
import { ExitError } from "../../../src/core/errors.ts";
import type { Policy, ResolvedTask, Sandbox } from "../../../src/core/ports.ts";

const never = new AbortController().signal;
const info = {
  engine: "unix:///e",
  version: "1",
  boundary: "runc",
  image: "i",
  imageDigest: "d",
  warnings: [],
};

function parts(change: {
  tasks?: readonly string[];
  problems?: readonly string[];
  describe?: () => Promise<typeof info>;
  sandbox?: DoctorParts["sandbox"];
  openPolicy?: DoctorParts["openPolicy"];
  selfTest?: DoctorParts["selfTest"];
}): DoctorParts {
  const tasks = (change.tasks ?? ["digits"]).map((name) => ({ name, file: `${name}/exit.task.json` }));
  return {
    workspace: {
      folder: "/w",
      tasks: async () => ({ tasks, problems: change.problems ?? [] }),
      resolve: async (id) => ({ id, definition: { sandbox: { gpus: 0 } } }) as ResolvedTask,
      holdout: async () => null,
      solution: async () => [],
      solutionIn: async () => [],
      write: async () => undefined,
    },
    sandbox:
      change.sandbox ??
      (async () => ({ describe: change.describe ?? (async () => info) }) as unknown as Sandbox),
    selfTest: change.selfTest ?? null,
    openPolicy: change.openPolicy ?? (async () => ({ close: async () => undefined }) as Policy),
  };
}

const reasons = async (given: DoctorParts) =>
  (await examine(given, never)).parts.map(({ part, ok }) => `${part} ${ok}`);

test("all is there: the engine once, every task's image, and the model", async () => {
  expect(await reasons(parts({ tasks: ["a", "b"] }))).toEqual([
    "task true",
    "engine true",
    "image true",
    "image true",
    "model true",
  ]);
});

test("without a task the problems of the task files are told", async () => {
  const { parts: found } = await examine(parts({ tasks: [], problems: ["digits: no run"] }), never);
  expect(found[0]).toMatchObject({
    part: "task",
    ok: false,
    message: expect.stringContaining("digits: no run"),
  });
});

test("a silent engine is named once, however many tasks there are", async () => {
  const sandbox = async () => {
    throw new ExitError("docker-unreachable", "No engine answers.");
  };
  expect(await reasons(parts({ tasks: ["a", "b"], sandbox }))).toEqual([
    "task true",
    "engine false",
    "model true",
  ]);
});

test("a missing image is told from a missing engine", async () => {
  const describe = async () => {
    throw new ExitError("image-missing", "There is no image.");
  };
  expect(await reasons(parts({ describe }))).toEqual(["task true", "image false", "model true"]);
});

test("a missing model is named; several models are no lack", async () => {
  const without = (reason: string) => async () => {
    throw new ExitError(reason, "…");
  };
  expect(await reasons(parts({ openPolicy: without("model-missing") }))).toContain("model false");
  expect(await reasons(parts({ openPolicy: without("model-needed") }))).toContain("model true");
});

test("with a self-test each guarantee has a line, once for an image; what is missing is a lack, what is unknown is not", async () => {
  const found = [
    { guarantee: "memory-limit", held: true, measured: "ended" },
    { guarantee: "pids-limit", held: false, measured: "64 could be started" },
    { guarantee: "vsock-closed", held: null, measured: "no Python" },
    { guarantee: "runsc", held: false, measured: "only runc" },
  ] as const;
  const given = parts({ tasks: ["a", "b"], selfTest: async () => ({ guarantees: found }) });
  const lines = (await examine(given, never)).parts.filter(({ part }) => part === "sandbox");
  expect(lines.map(({ ok }) => ok)).toEqual([true, false, true, true]);
  expect(lines[1]?.message).toContain("pids-limit is missing");
  expect(lines[1]?.message).toContain("64 could be started");
});
