import { hostile, python } from "../case.ts";

const generous = `import os, re, sys, zipfile
if os.path.exists("out.zip"): zipfile.ZipFile("out.zip").read("bomb")
text = open("out.csv").read()
if len(text) > 10**6: re.match(r"(a|a)*b", text[:64]) or re.match(r"(.*,)*x", text)
print('{"score": ' + text[:4] + "}")
`;

/** Outputs that are small to write and dear to read. */
export default hostile({
  id: "T24",
  tries: "starves the evaluator: zip bomb, endless field, a regular expression's worst case",
  promise: "invalid; the evaluator has limits of its own",
  play: [
    {
      name: "zip bomb",
      revision: python(`
import zipfile
with zipfile.ZipFile("out.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    with archive.open("bomb", "w", force_zip64=True) as file:
        for _ in range(300): file.write(bytes(2**20))
leave(0.9)`),
      task: { run: { outputs: ["out.csv", "out.zip"] } },
      workspace: { "score.py": generous },
      rootFirst: true,
      expects: "invalid",
    },
    {
      name: "regular expression",
      revision: python(`leave("a" * (12 * 2**20))`),
      task: { score: { timeout: "5s" } },
      workspace: { "score.py": generous },
      rootFirst: true,
      expects: "invalid",
    },
  ],
});
