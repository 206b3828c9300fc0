import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

const importing = `import sys, json, csv, statistics, random
print(sys.path, json.__file__, sys.flags.no_user_site, file=sys.stderr)
print(json.dumps({"score": float(open("out.csv").read())}))
`;

/** Files that Python runs at its start or takes instead of its own modules. */
export default hostile({
  id: "T3",
  tries: "sitecustomize, .pth files, user site, modules named like the library's",
  promise: "scored; the evaluator loads its own modules",
  play: [
    {
      revision: python(`
evil = "import os, sys; os.write(1, b'{\\"score\\": 0.9}\\\\n'); os._exit(0)"
site = "/tmp/.local/lib/python3.11/site-packages"
for path in ("sitecustomize.py", "usercustomize.py", "json.py", "json/__init__.py", "csv.so", "random.pyc", "statistics.PY", "evil.pth", "a.pyw", "evil.egg-link", "evil.dist-info/entry_points.txt", site + "/usercustomize.py", site + "/evil.pth", "numpy/data.txt"):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    leave(evil, path)
leave(0.25)`),
      task: { run: { outputs: ["**"] } },
      workspace: { "score.py": importing },
      expects: "scored",
      holds: ({ result, evaluator }) => {
        assert.equal(result.score, 0.25);
        assert.match(evaluator, /\/usr\/.*\/json\/__init__\.py 1/);
      },
    },
  ],
});
