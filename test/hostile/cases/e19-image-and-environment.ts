import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

const tellingEnvironment = `import json, os, sys
print(json.dumps(dict(os.environ)), file=sys.stderr)
print('{"score": ' + open("out.csv").read() + "}")
`;

/** Files by which images and environments are described, for whoever reads them from the workspace. */
export default hostile({
  id: "E19",
  tries: "brings a Dockerfile, .env, LD_PRELOAD and loader settings",
  promise: "scored; image and environment of evaluator and next run are the task's",
  play: [
    {
      revision: python(`
for name in ("Dockerfile", ".dockerignore", ".env", "docker-compose.yml", "ld.so.preload", "sitecustomize.py", "pip.conf"):
    leave("ENV LD_PRELOAD=/work/evil.so", name)
for name in ("/etc/ld.so.preload", "/etc/environment", "/proc/1/environ"):
    attempt(name, lambda: leave("LD_PRELOAD=/work/evil.so", name))
os.environ["LD_PRELOAD"] = "/work/evil.so"
os.environ["PYTHONPATH"] = "/work"
leave(0.5)`),
      workspace: { "score.py": tellingEnvironment },
      task: { run: { outputs: ["*"] } },
      expects: "scored",
      holds: ({ stdout, evaluator }) => {
        assert.doesNotMatch(stdout, /GOT/);
        const names = Object.keys(JSON.parse(evaluator) as object);
        for (const name of ["LD_PRELOAD", "PYTHONPATH", "PYTHONSTARTUP"]) assert.ok(!names.includes(name));
        assert.ok(names.includes("PYTHONNOUSERSITE"));
      },
    },
  ],
});
