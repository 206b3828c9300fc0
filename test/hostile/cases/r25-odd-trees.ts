import assert from "node:assert/strict";
import { hostile, python } from "../case.ts";

/** Trees that are deep, wide, or have the longest names there are. */
export default hostile({
  id: "R25",
  tries: "outputs in deep folders, by the thousand, under names of 255 bytes",
  promise: "invalid where it is too much, scored where it is only odd",
  play: [
    {
      name: "deep",
      revision: python(`
os.makedirs("/".join(["d"] * 100))
leave(0.9, "/".join(["d"] * 100) + "/out.csv")`),
      task: { run: { outputs: ["d/**"] } },
      expects: "invalid",
    },
    {
      name: "deeper than a path can name",
      revision: python(`
for _ in range(3000):
    os.mkdir("d" * 20)
    os.chdir("d" * 20)
leave(0.9)`),
      task: { run: { outputs: ["**/out.csv"] } },
      expects: "invalid",
    },
    {
      name: "thousands",
      revision: python(`
os.mkdir("many")
for index in range(5000): open(f"many/{index}", "w").close()`),
      task: { run: { outputs: ["many/*"] } },
      expects: "invalid",
      holds: ({ result }) => assert.match(result.feedback ?? "", /more than 4096/),
    },
    {
      name: "long names",
      revision: python(`
leave(0.5)
leave(0.9, "n" * 251 + ".csv")`),
      task: { run: { outputs: ["*.csv"] } },
      expects: "scored",
    },
  ],
});
