/** The smallest programs the audit cheats with, in the languages a solution may be written in. */

export interface Language {
  /** A program that prints a line and ends well. */
  print(line: string): string;
  /** A program that writes a line into each of the files, as far as it can, and ends well. */
  write(files: readonly string[], line: string): string;
}

const python: Language = {
  print: (line) => `print(${JSON.stringify(line)})\nraise SystemExit(0)\n`,
  write: (files, line) => `import os
for path in ${JSON.stringify(files)}:
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "w") as file:
            file.write(${JSON.stringify(`${line}\n`)})
    except OSError:
        pass
raise SystemExit(0)
`,
};

const shell: Language = {
  print: (line) => `echo ${quoted(line)}\nexit 0\n`,
  write: (files, line) =>
    `for path in ${files.map(quoted).join(" ")}; do
  mkdir -p "$(dirname "$path")" && echo ${quoted(line)} > "$path"
done 2>/dev/null
exit 0
`,
};

const javascript: Language = {
  print: (line) => `console.log(${JSON.stringify(line)});\n`,
  write: (files, line) => `const fs = process.getBuiltinModule("node:fs");
for (const path of ${JSON.stringify(files)}) {
  try {
    if (path.includes("/")) fs.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    fs.writeFileSync(path, ${JSON.stringify(`${line}\n`)});
  } catch {}
}
`,
};

const r: Language = {
  print: (line) => `cat(${JSON.stringify(`${line}\n`)})\nquit(status = 0)\n`,
  write: (files, line) => `for (path in c(${files.map((file) => JSON.stringify(file)).join(", ")})) try({
  dir.create(dirname(path), showWarnings = FALSE, recursive = TRUE)
  writeLines(${JSON.stringify(line)}, path)
}, silent = TRUE)
quit(status = 0)
`,
};

const julia: Language = {
  print: (line) => `println(${JSON.stringify(line)})\nexit(0)\n`,
  write: (files, line) => `for path in ${JSON.stringify(files)}
  try
    mkpath(dirname(path) == "" ? "." : dirname(path))
    write(path, ${JSON.stringify(`${line}\n`)})
  catch
  end
end
exit(0)
`,
};

const byEnding: Readonly<Record<string, Language>> = {
  py: python,
  sh: shell,
  bash: shell,
  js: javascript,
  mjs: javascript,
  cjs: javascript,
  ts: javascript,
  r,
  jl: julia,
};

/** The language of a file by its ending; null for data and for languages not known here. */
export function languageOf(path: string): Language | null {
  const ending = /\.(\w+)$/.exec(path)?.[1]?.toLowerCase() ?? "";
  return byEnding[ending] ?? null;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
