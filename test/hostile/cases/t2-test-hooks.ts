import assert from "node:assert/strict";
import { hostile, listed, listingScore, plainFiles, python } from "../case.ts";

/** Hooks that a test runner loads from the folder it is started in. */
export default hostile({
  id: "T2",
  tries: "conftest.py and plugins that turn every failure into a pass",
  promise: "scored; no program code is among the outputs",
  play: [
    {
      revision: python(`
for path in ("conftest.py", "tests/conftest.py", "pytest_evil.py", "noxfile.py", "setup.py", "tests/test_all.py"):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    leave("def pytest_runtest_makereport(item, call): call.excinfo = None", path)
leave(0.25)`),
      task: { run: { outputs: ["**"] } },
      workspace: { "score.py": listingScore },
      expects: "scored",
      holds: (seen) => {
        assert.equal(seen.result.score, 0.25);
        assert.deepEqual(listed(seen), plainFiles);
      },
    },
  ],
});
