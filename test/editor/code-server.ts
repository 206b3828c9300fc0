/** VS Code's server with an extension host on a plain Node, seen in a browser: one of its own for each test. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const keeper = fileURLToPath(new URL("../../scripts/setup/keeper.mjs", import.meta.url));
const startSeconds = 60;

export interface CodeServerOptions {
  /** A packed extension (.vsix) that is installed before the start. */
  readonly vsix?: string;
  /** Settings of VS Code and of extensions, over the quiet ones below. */
  readonly settings?: Record<string, unknown>;
  /** false: the user has not said yet that they trust the folder (Restricted Mode). Default true. */
  readonly trusted?: boolean;
  /** Lets a page run tests in the extension host; VS Code then shows no notification by itself. Default false. */
  readonly hostTests?: boolean;
  /** On top of this process's environment; undefined takes a variable out. */
  readonly env?: Record<string, string | undefined>;
}

export interface CodeServer {
  /** 127.0.0.1:PORT */
  readonly authority: string;
  /** Copies the logs of the server, the extension hosts and the output channels to a folder. */
  keepLogs(target: string): void;
  /** On return no process of it is left, but for those that put themselves into a session of their own. */
  stop(): Promise<void>;
}

/** What would move, call out or ask while a test looks. */
const quiet = {
  "chat.disableAIFeatures": true,
  "extensions.autoCheckUpdates": false,
  "extensions.autoUpdate": false,
  "extensions.ignoreRecommendations": true,
  "git.autofetch": false,
  "git.autorefresh": false,
  "git.openRepositoryInParentFolders": "never",
  "security.workspace.trust.banner": "never",
  "security.workspace.trust.startupPrompt": "never",
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "window.confirmBeforeClose": "never",
  "workbench.enableExperiments": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.startupEditor": "none",
  // Else rows of a tree stand in the page twice.
  "workbench.tree.enableStickyScroll": false,
  "workbench.tips.enabled": false,
};

/** The marketplace that code-server asks for updates and recommendations: none. */
const noGallery = JSON.stringify({ serviceUrl: "" });

/** @throws an Error with the end of its log when it does not come up */
export async function startCodeServer(options: CodeServerOptions = {}): Promise<CodeServer> {
  const home = realpathSync(mkdtempSync(join(tmpdir(), "exit-ml-editor-")));
  try {
    return await start(home, options);
  } catch (error) {
    rmSync(home, { recursive: true, force: true });
    throw error;
  }
}

async function start(home: string, options: CodeServerOptions): Promise<CodeServer> {
  const { node, entry } = program();
  const folders = prepare(home, { ...quiet, ...options.settings });
  const env = environment(home, options.env);
  if (options.vsix !== undefined) {
    const install = [entry, ...folders, "--install-extension", options.vsix];
    await promisify(execFile)(node, install, { env, timeout: startSeconds * 1000 });
  }
  const flags = [
    ...["--auth", "none", "--bind-addr", "127.0.0.1:0", "--disable-telemetry", "--disable-update-check"],
    ...(options.hostTests ? ["--vscode-option", "enable-smoke-test-driver"] : []),
    ...((options.trusted ?? true) ? ["--disable-workspace-trust"] : []),
  ];
  const child = spawn(process.execPath, [keeper, node, entry, ...folders, ...flags], {
    env,
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  const ended = once(child, "exit");
  const said: string[] = [];
  const log = createWriteStream(join(home, "code-server.log"));
  let announce: (authority: string) => void = () => undefined;
  const listening = new Promise<string>((resolve) => {
    announce = resolve;
  });
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on("line", (line) => {
      said.push(line);
      log.write(`${line}\n`);
      const address = /HTTP server listening on http:\/\/([\d.]+:\d+)/.exec(line)?.[1];
      if (address !== undefined) announce(address);
    });
  }
  const stop = async (): Promise<void> => {
    child.stdin.end();
    await ended;
    await groupGone(child.pid);
    await new Promise<void>((resolve) => log.end(resolve));
    rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  const late = AbortSignal.timeout(startSeconds * 1000);
  const authority = await Promise.race([
    listening,
    ended.then(() => undefined),
    once(late, "abort").then(() => undefined),
  ]);
  if (authority === undefined) {
    await stop();
    throw new Error(`code-server did not start. It said last:\n${said.slice(-15).join("\n")}`);
  }
  return {
    authority,
    stop,
    keepLogs(target) {
      mkdirSync(target, { recursive: true });
      for (const part of ["code-server.log", join("user-data", "logs")]) {
        const source = join(home, part);
        if (existsSync(source)) cpSync(source, join(target, part), { recursive: true });
      }
    },
  };
}

function program(): { node: string; entry: string } {
  const node = process.env.EXIT_ML_TEST_EDITOR_NODE;
  const entry = process.env.EXIT_ML_TEST_EDITOR;
  if (node === undefined || entry === undefined) {
    throw new Error(
      "EXIT_ML_TEST_EDITOR and EXIT_ML_TEST_EDITOR_NODE are not set. `npm test -- --only editor` sets them.",
    );
  }
  return { node, entry };
}

/** Makes its folders and returns the arguments that name them. */
function prepare(home: string, settings: Record<string, unknown>): string[] {
  const userData = join(home, "user-data");
  const text = JSON.stringify(settings, undefined, 2);
  mkdirSync(join(home, "tmp"), { mode: 0o700 });
  // In a remote window, which this is, settings of machine scope are read from the server's own file.
  for (const scope of ["User", "Machine"]) {
    mkdirSync(join(userData, scope), { recursive: true });
    writeFileSync(join(userData, scope, "settings.json"), text);
  }
  // Without a configuration file it writes one into the user's home.
  const config = join(home, "config.yaml");
  writeFileSync(config, "auth: none\n");
  return ["--config", config, "--user-data-dir", userData, "--extensions-dir", join(home, "extensions")];
}

function environment(home: string, changes: CodeServerOptions["env"]): NodeJS.ProcessEnv {
  // Started from a terminal of VS Code, it would take that one for itself and open a window there.
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(VSCODE_|VITEST|ELECTRON_|NODE_OPTIONS$)/.test(name),
  );
  return {
    ...Object.fromEntries(kept),
    XDG_DATA_HOME: join(home, "data"),
    // VS Code and its extensions leave sockets and folders there.
    XDG_RUNTIME_DIR: join(home, "tmp"),
    TMPDIR: join(home, "tmp"),
    EXTENSIONS_GALLERY: noGallery,
    ...changes,
  };
}

/** Killed together, the processes of a group are still a moment away from being gone. */
async function groupGone(group: number | undefined): Promise<void> {
  if (group === undefined || process.platform === "win32") return;
  for (;;) {
    try {
      process.kill(-group, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
