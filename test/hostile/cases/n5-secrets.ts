import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";
import { canary } from "../stage.ts";

/** Looks for what people keep in environments and dot files. The secret is not named here: the suite knows it. */
const searching = python(`
for folder, _, names in os.walk("/"):
    if folder.startswith(("/proc", "/sys", "/usr", "/lib")): continue
    for name in names:
        path = os.path.join(folder, name)
        try:
            if os.path.isfile(path) and os.path.getsize(path) < 2**16: text = open(path, errors="replace").read()
            else: continue
        except OSError: continue
        if "canary-" in text and "solution" not in path: tell("FOUND", path, text)
for name, value in os.environ.items(): tell(name, value)
leave(0.5)`);

export default hostile({
  id: "N5",
  tries: "searches environment, .env, .netrc, .git and image for secrets",
  promise: "scored; the canary stands in none of it",
  async play(stage) {
    process.env.EXIT_ML_SECRET_TOKEN = canary;
    await stage.trial({
      revision: searching,
      expects: "scored",
      holds: ({ stdout }) => assert.doesNotMatch(stdout, /FOUND|SECRET/),
    });
  },
});
