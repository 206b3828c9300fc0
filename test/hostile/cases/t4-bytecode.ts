import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

const withHelper = `import sys
sys.path.insert(0, "hidden")
import helper
print('{"score": %s}' % helper.score())
`;

/** Compiled code beside the evaluator's modules, which Python would prefer to their text. */
export default hostile({
  id: "T4",
  tries: "poisons the compiled form of the evaluator's modules",
  promise: "scored by the module's text",
  play: [
    {
      revision: python(`
import importlib.util, marshal
code = compile("def score(): return 0.9", "helper.py", "exec")
magic = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8)
for folder in ("hidden/__pycache__", "__pycache__"):
    os.makedirs(folder, exist_ok=True)
    for name in (f"helper.{sys.implementation.cache_tag}.pyc", f"score.{sys.implementation.cache_tag}.pyc", "helper.pyc"):
        open(f"{folder}/{name}", "wb").write(magic + marshal.dumps(code))
open("helper.pyc", "wb").write(magic + marshal.dumps(code))
leave(0.25)`),
      task: { run: { outputs: ["**"] } },
      workspace: {
        "score.py": withHelper,
        "hidden/helper.py": 'def score(): return float(open("out.csv").read())\n',
      },
      expects: "scored",
      holds: ({ result }) => assert.equal(result.score, 0.25),
    },
  ],
});
