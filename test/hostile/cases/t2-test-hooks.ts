import assert from "node:assert/strict";
import { hostile, listed, listingScore, plainFiles, python } from "../case.ts";

/** Hooks that a test runner loads from the folder it is started in. */
export default hostile({
  id: "T2",
  tries: "conftest.py, plugins and settings that turn every failure into a pass, for other languages too",
  promise: "scored; nothing that loads itself is among the outputs, and the evidence names it",
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
        assert.match(seen.result.evidence.run?.note ?? "", /Not taken.*conftest\.py.* and 3 more/);
      },
    },
    {
      name: "settings, and code of other languages",
      revision: python(`
for path in ("pytest.ini", ".pytest.ini", "tox.ini", "Setup.cfg", "sub/pyproject.toml", ".coveragerc", "matplotlibrc", ".Rprofile", ".Renviron", "helper.R", "package.json", "index.js", "node_modules/evil/data.txt", "a.mjs", "b.cjs", "c.ts", "run.sh", "x.pl", "X.PM", "y.rb", "z.lua", "Evil.class", "evil.jar", "libm.so.6", "m.dylib", "m.dll", "evil.whl", "evil.egg", "Makefile", ".env", ".netrc", ".npmrc", ".pythonrc", ".bashrc", ".git/config", "evil.dist-info/entry_points.txt"):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    leave("evil", path)
for path in ("model.json", "weights.npy", "notes.txt", "settings.ini", "model.safetensors"): leave(1, path)
leave(0.25)`),
      task: { run: { outputs: ["**"] } },
      workspace: { "score.py": listingScore },
      expects: "scored",
      holds: (seen) => {
        const data = ["model.json", "model.safetensors", "notes.txt", "settings.ini", "weights.npy"];
        assert.deepEqual(listed(seen), [...plainFiles, ...data].sort());
      },
    },
  ],
});
