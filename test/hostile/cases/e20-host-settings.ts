import { hostile, python } from "../case.ts";

/** Files that an editor, git or Python on the host would obey, written where they stand in the workspace. */
export default hostile({
  id: "E20",
  tries: "edits editor settings, git hooks and packages the host would obey",
  promise: "scored; no file of the workspace changes",
  play: [
    {
      revision: python(`
for name in (".vscode/tasks.json", ".vscode/settings.json", ".git/hooks/pre-commit", ".git/config", ".env", "exit.task.json", "score.py", ".gitattributes", "package.json"):
    os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
    leave("evil", name)
    os.chmod(name, 0o777)
leave(0.5)`),
      task: { run: { outputs: ["**"] } },
      expects: "scored",
    },
  ],
});
