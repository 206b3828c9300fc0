/** Replies as small models write them: what the repair ladder takes, and what it refuses. */
import { describe, expect, test } from "vitest";
import { read, solutionOf, textsOf } from "./fixtures.ts";

const path = "solution/train.py";
const before =
  "import os\n\n\ndef train(x):\n    model = Tree(depth=2)\n    model.fit(x)\n    return model\n";
const after =
  "import os\n\n\ndef train(x):\n    model = Forest(trees=50)\n    model.fit(x)\n    return model\n";
const start = solutionOf({ [path]: before });
const two = solutionOf({ [path]: before, "solution/util.py": "def load():\n    return 1\n" });
const old = "    model = Tree(depth=2)";
const fresh = "    model = Forest(trees=50)";
const change = (search: string, replace: string): string =>
  `<<<<<<< SEARCH\n${search}\n=======\n${replace}\n>>>>>>> REPLACE`;

describe("the repair ladder takes", () => {
  const cases: readonly [name: string, reply: string, repairs: readonly string[]][] = [
    ["the documented form", `FILE: ${path}\n\`\`\`python\n${after}\`\`\``, []],
    [
      "prose around it",
      `Sure, here it is!\n\nFILE: ${path}\n\`\`\`python\n${after}\`\`\`\n\nIt uses a forest.`,
      [],
    ],
    ["no language", `FILE: ${path}\n\`\`\`\n${after}\`\`\``, []],
    ["Windows line ends", `FILE: ${path}\n\`\`\`\n${after}\`\`\``.replaceAll("\n", "\r\n"), []],
    ["a blank line after the name", `FILE: ${path}\n\n\`\`\`python\n${after}\`\`\``, []],
    [
      "a sentence after the name",
      `FILE: ${path}\nA forest instead:\n\`\`\`python\n${after}\`\`\``,
      ["path-above"],
    ],
    ["tildes", `FILE: ${path}\n~~~python\n${after}~~~`, []],
    ["no path and one file", `\`\`\`python\n${after}\`\`\``, ["unlabelled-block"]],
    [
      "no path, with commands to run it",
      `\`\`\`python\n${after}\`\`\`\nRun it:\n\`\`\`bash\npython3 ${path}\n\`\`\``,
      ["unlabelled-block", "extra-block-ignored"],
    ],
    ["a path comment", `\`\`\`python\n# ${path}\n${after}\`\`\``, ["path-comment"]],
    [
      "a bare name in a comment",
      `\`\`\`python\n# train.py\n${after}\`\`\``,
      ["path-comment", "path-normalised"],
    ],
    ["a heading", `### ${path}\n\`\`\`python\n${after}\`\`\``, ["path-above"]],
    ["a bold name", `**${path}**\n\n\`\`\`python\n${after}\`\`\``, ["path-above"]],
    ["a bold label", `**File:** \`${path}\`\n\`\`\`python\n${after}\`\`\``, ["path-above"]],
    ["a bullet", `- \`${path}\`:\n\`\`\`python\n${after}\`\`\``, ["path-above"]],
    [
      "a sentence with the name",
      `Here is the new \`${path}\`:\n\n\`\`\`python\n${after}\`\`\``,
      ["path-above"],
    ],
    ["the path behind the language", `\`\`\`python ${path}\n${after}\`\`\``, ["path-in-fence"]],
    ["the path joined to the language", `\`\`\`python:${path}\n${after}\`\`\``, ["path-in-fence"]],
    ["the path as a title", `\`\`\`python title="${path}"\n${after}\`\`\``, ["path-in-fence"]],
    ["the path as language", `\`\`\`${path}\n${after}\`\`\``, ["path-in-fence"]],
    ["./ before the path", `FILE: ./${path}\n\`\`\`\n${after}\`\`\``, ["path-normalised"]],
    ["backslashes", `FILE: solution\\train.py\n\`\`\`\n${after}\`\`\``, ["path-normalised"]],
    ["doubled slashes", `FILE: solution//train.py\n\`\`\`\n${after}\`\`\``, ["path-normalised"]],
    [
      "a block moved right as a whole",
      `FILE: ${path}\n  \`\`\`python\n${after.replace(/^(?=.)/gm, "  ")}  \`\`\``,
      ["indented-fence"],
    ],
    [
      "a quoted piece of the old file first",
      `The current approach:\n\`\`\`python\n${old}\n\`\`\`\nFILE: ${path}\n\`\`\`python\n${after}\`\`\``,
      ["extra-block-ignored"],
    ],
    [
      "the same file twice",
      `FILE: ${path}\n\`\`\`\n${after}\`\`\`\nOnce more:\n\nFILE: ${path}\n\`\`\`\n${after}\`\`\``,
      ["duplicate-block"],
    ],
    [
      "thinking",
      `<think>\nFILE: x.py\n\`\`\`\nno\n</think>\nFILE: ${path}\n\`\`\`\n${after}\`\`\``,
      ["thinking-stripped"],
    ],
    [
      "thinking that was opened in the prompt",
      `A forest is better.\n</think>\n\nFILE: ${path}\n\`\`\`\n${after}\`\`\``,
      ["thinking-stripped"],
    ],
    ["a change", `FILE: ${path}\n${change(old, fresh)}`, []],
    ["a change in a fence", `FILE: ${path}\n\`\`\`python\n${change(old, fresh)}\n\`\`\``, ["fenced-change"]],
    [
      "the path inside the fence",
      `\`\`\`python\n${path}\n${change(old, fresh)}\n\`\`\``,
      ["fenced-change", "path-above"],
    ],
    [
      "the path in the fence line",
      `\`\`\`python ${path}\n${change(old, fresh)}\n\`\`\``,
      ["fenced-change", "path-in-fence"],
    ],
    [
      "the path in the marker",
      `<<<<<<< SEARCH ${path}\n${old}\n=======\n${fresh}\n>>>>>>> REPLACE`,
      ["marker-variant", "path-in-fence"],
    ],
    ["a change without a path", change(old, fresh), ["path-from-search"]],
    [
      "other marker names",
      `FILE: ${path}\n<<<<<<< ORIGINAL\n${old}\n=======\n${fresh}\n>>>>>>> UPDATED`,
      ["marker-variant"],
    ],
    [
      "short markers",
      `FILE: ${path}\n<<<<<< SEARCH\n${old}\n======\n${fresh}\n>>>>>> REPLACE`,
      ["marker-variant"],
    ],
    [
      "a divider of another length",
      `FILE: ${path}\n<<<<<<< SEARCH\n${old}\n========\n${fresh}\n>>>>>>> REPLACE`,
      ["marker-variant"],
    ],
    ["spaces at line ends", `FILE: ${path}\n${change(`${old}  `, fresh)}`, ["whitespace-insensitive-match"]],
    [
      "other spaces inside",
      `FILE: ${path}\n${change("    model  =  Tree(depth=2)", fresh)}`,
      ["whitespace-insensitive-match"],
    ],
    ["lost indentation", `FILE: ${path}\n${change(old.trim(), fresh.trim())}`, ["indent-shifted"]],
    ["too much indentation", `FILE: ${path}\n${change(`    ${old}`, `    ${fresh}`)}`, ["indent-shifted"]],
    ["blank lines around", `FILE: ${path}\n${change(`\n${old}\n`, `\n${fresh}\n`)}`, ["blank-lines-trimmed"]],
  ];

  test.each(cases)("%s", (_, reply, repairs) => {
    const result = read(reply, start);
    expect(result.edit.problem).toBeNull();
    expect(textsOf(result.solution)).toEqual({ [path]: after });
    expect([...result.edit.repairs].sort()).toEqual([...repairs].sort());
    expect(result.edit.paths).toEqual([path]);
    expect(reply).toContain(result.answer);
    expect(result.answer).not.toContain("</think>");
  });

  test("a change whose SEARCH tells the file among several", () => {
    const result = read(change("    return 1", "    return 2"), two);
    expect(result.edit.repairs).toEqual(["path-from-search"]);
    expect(textsOf(result.solution)?.["solution/util.py"]).toBe("def load():\n    return 2\n");
  });

  test("a path comment that the file had already as content", () => {
    const commented = solutionOf({ [path]: `# train.py\n${before}` });
    const result = read(`\`\`\`python\n# train.py\n${after}\`\`\``, commented);
    expect(textsOf(result.solution)).toEqual({ [path]: `# train.py\n${after}` });
  });
});

describe("the answer", () => {
  test("is the part that was edited in, without what stands around it", () => {
    const edit = `FILE: ${path}\n${change(old, fresh)}`;
    const result = read(`<think>hm</think>\n1. A tree.\n2. A forest.\n3. Here:\n\n${edit}\n\nDone.`, start);
    expect(result.answer).toBe(edit);
  });

  test("a reply that changes nothing is unchanged and keeps the start", () => {
    const result = read(`FILE: ${path}\n\`\`\`\n${before}\`\`\``, start);
    expect(result.edit).toEqual({ kind: "unchanged", repairs: [], problem: null, paths: [] });
    expect(result.solution).toBe(start);
  });
});

describe("refused with a sentence, never guessed:", () => {
  const whole = (name: string, content = after): string => `FILE: ${name}\n\`\`\`python\n${content}\`\`\``;
  const cases: readonly [name: string, reply: string, problem: RegExp, solution?: typeof start][] = [
    ["nothing", " \n", /empty/],
    ["only prose", "I would use a forest.", /no file/],
    ["code without a fence", after, /no file/],
    ["thinking without an answer", `<think>\n${whole(path)}`, /still thinking/],
    ["a file outside the solution", whole("score.py"), /"score\.py", which is not part/],
    ["a file outside beside a good one", `${whole(path)}\n\n${whole("score.py")}`, /score\.py/],
    ["a file that is kept out", whole("solution/keep.txt"), /keep\.txt/],
    ["a way out of the workspace", whole("solution/../score.py"), /leaves the workspace/],
    ["an absolute path", whole("/work/solution/train.py"), /absolute/],
    ["a Windows drive", whole("C:\\solution\\train.py"), /absolute/],
    ["a git folder", whole("solution/.git/hooks/post-checkout.py"), /\.git/],
    ["a folder", whole("solution/"), /not the path of a file/],
    ["a path in other case", whole("solution/Train.py"), /letter case/],
    ["a path below a file", whole("solution/train.py/x.py"), /cannot exist beside/],
    [
      "two new files that differ in case only",
      `${whole("solution/n.py")}\n${whole("solution/N.py")}`,
      /beside each other/,
    ],
    [
      "a new file below a new file",
      `${whole("solution/n.py")}\n${whole("solution/n.py/x.py")}`,
      /beside each other/,
    ],
    ["an invisible character in the path", whole("solution/tr\u200bain.py"), /invisible/],
    ["a foreign name in a comment", `\`\`\`python\n# score.py\n${after}\`\`\``, /score\.py/],
    ["a foreign name in a sentence", `The new \`score.py\`:\n\`\`\`python\n${after}\`\`\``, /score\.py/],
    [
      "two names in a sentence",
      `\`${path}\` and \`solution/b.py\`:\n\`\`\`\n${after}\`\`\``,
      /several files/,
    ],
    ["two labels", `FILE: ${path}\n\`\`\`python solution/b.py\n${after}\`\`\``, /labelled both/],
    ["no path and several files", `\`\`\`python\n${after}\`\`\``, /which file/, two],
    [
      "two blocks without a path",
      `\`\`\`python\n${after}\`\`\`\nor\n\`\`\`python\n${before}\`\`\``,
      /Several/,
    ],
    ["a snippet without a path", `Change this line:\n\`\`\`python\n${fresh}\n\`\`\``, /too short/],
    [
      "a nameless block beside a named one",
      `${whole(path)}\nand\n\`\`\`python\nx = 1\n\`\`\``,
      /does not say/,
    ],
    ["a fence that is never closed", `FILE: ${path}\n\`\`\`python\n${after}`, /never closed/],
    [
      "a fence inside a fence of the same length",
      whole(path, `"""\n\`\`\`json\n{}\n\`\`\`\n"""\n`),
      /another fence/,
    ],
    ["code left out", whole(path, "import os\n# ... rest of the code unchanged\n"), /leaves code out/],
    [
      "code left out in a change",
      `FILE: ${path}\n${change(old, `${fresh}\n    # ... existing code ...`)}`,
      /leaves code out/,
    ],
    ["a diff", whole(path, "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-a\n+b\n"), /diff/],
    ["two contents of a file", `${whole(path)}\n\n${whole(path, "x = 1\n")}`, /more than once/],
    [
      "a file and a change of it",
      `${whole(path)}\n\nFILE: ${path}\n${change(old, fresh)}`,
      /more than one way/,
    ],
    ["a name without content", `FILE: ${path}\n\nI would use a forest.`, /No content/],
    [
      "a SEARCH that is nowhere",
      `FILE: ${path}\n${change("    model = Tree(depth=3)", fresh)}`,
      /does not occur/,
    ],
    ["a SEARCH that is at two places", `FILE: ${path}\n${change("", "x = 1")}`, /2 places|empty SEARCH/],
    [
      "a SEARCH that is at two places, freely read",
      `FILE: ${path}\n${change("a  = 1", "a = 2")}`,
      /2 places/,
      solutionOf({ [path]: "a = 1\na = 1\n" }),
    ],
    ["a SEARCH of half a line", `FILE: ${path}\n${change("Tree(depth=2)", "Forest()")}`, /does not occur/],
    [
      "an empty SEARCH in a file with lines",
      `FILE: ${path}\n<<<<<<< SEARCH\n=======\nx = 1\n>>>>>>> REPLACE`,
      /empty SEARCH/,
    ],
    ["a SEARCH in a new file", `FILE: solution/new.py\n${change("a", "b")}`, /not in the solution/],
    [
      "overlapping changes",
      `FILE: ${path}\n${change(`${old}\n    model.fit(x)`, fresh)}\n${change("    model.fit(x)", "    pass")}`,
      /overlap/,
    ],
    ["a change without an end", `FILE: ${path}\n<<<<<<< SEARCH\n${old}\n=======\n${fresh}\n`, /never closed/],
    [
      "a change without a divider",
      `FILE: ${path}\n<<<<<<< SEARCH\n${old}\n${fresh}\n>>>>>>> REPLACE`,
      /no line of =/,
    ],
    [
      "a change with two dividers",
      `FILE: ${path}\n${change(old, `${fresh}\n=======`)}`,
      /several lines of =/,
    ],
    [
      "the end of a change",
      `FILE: ${path}\n${old}\n=======\n${fresh}\n>>>>>>> REPLACE`,
      /outside of any change|No content/,
    ],
    [
      "a broken change in a fence",
      `FILE: ${path}\n\`\`\`\n${old}\n=======\n${fresh}\n>>>>>>> REPLACE\n\`\`\``,
      /broken/,
    ],
    [
      "a change mixed with code in a fence",
      `FILE: ${path}\n\`\`\`\n${change(old, fresh)}\nprint(1)\n\`\`\``,
      /mixes/,
    ],
    ["deleting an unknown file", "DELETE: solution/none.py", /cannot be deleted/],
    ["deleting everything", `DELETE: ${path}`, /every file/],
  ];

  test.each(cases)("%s", (_, reply, problem, solution = start) => {
    const result = read(reply, solution);
    expect(result.edit.kind).toBe("none");
    expect(result.edit.problem).toMatch(problem);
    expect(result.edit.problem).toMatch(/\.$/);
    expect(result.solution).toBeNull();
    expect(result.answer).toBeNull();
  });
});
