/**
 * Bundles the programs into dist/: `node esbuild.js [--watch] [--production]`.
 *
 * The sources are ES modules, the bundles CommonJS: dockerode reaches for its parts with `require` at run time,
 * which an ES module bundle cannot do. No bundle holds a compiled addon (`.node`), so one build fits every platform.
 */
const { chmodSync, existsSync, rmSync } = require("node:fs");
const { join } = require("node:path");
const esbuild = require("esbuild");

const root = __dirname;
const production = process.argv.includes("--production");
const watch = process.argv.includes("--watch");

/** Entry → bundle. The command line may be started by an older Node than the runner needs: it looks for a newer one. */
const bundles = [
  { entry: "src/cli/main.ts", out: "dist/cli.js", target: "node20", executable: true },
  { entry: "src/runner/main.ts", out: "dist/runner.js", target: "node22" },
  { entry: "src/adapters/embedded/child.ts", out: "dist/embedded-child.js", target: "node22" },
  { entry: "src/extension/main.ts", out: "dist/extension.js", target: "node22" },
].filter(({ entry }) => existsSync(join(root, entry)));

/** Docker over SSH, and BuildKit: parts of dockerode that bring compiled addons and that nothing here uses. */
const leftOut = ["ssh2", "cpu-features", "@grpc/grpc-js", "@grpc/proto-loader"];

/** Puts in their place a module that loads, and throws when anything of it is called. */
const stubs = {
  name: "left-out",
  setup(build) {
    const filter = new RegExp(`^(${leftOut.join("|")})$`);
    build.onResolve({ filter }, ({ path }) => ({ path, namespace: "left-out" }));
    build.onLoad({ filter: /.*/, namespace: "left-out" }, ({ path }) => ({
      contents: `
        function leftOut() { throw new Error(${JSON.stringify(`${path} is not part of this build.`)}); }
        module.exports = new Proxy({}, { get: (_, key) => (key === "__esModule" ? undefined : leftOut) });`,
    }));
  },
};

/** zod can complain in fifty languages; the product speaks one, and the others are half of every bundle. */
const oneLanguage = {
  name: "one-language",
  setup(build) {
    build.onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.c?js$/ }, () => ({
      contents: 'export { default as en } from "./en.js";',
    }));
  },
};

/**
 * What the sources leave to the bundler: `import.meta`, which names the bundle as it would name the module, and
 * the version.
 */
const given = {
  define: {
    "import.meta.url": "bundleUrl",
    "import.meta.filename": "__filename",
    "import.meta.dirname": "__dirname",
    packageVersion: JSON.stringify(require("./package.json").version),
    // zod asks it whether it runs in a browser; inside the editor the mere question is logged as an error.
    navigator: "undefined",
  },
  banner: { js: 'const bundleUrl = require("node:url").pathToFileURL(__filename).href;' },
};

function optionsFor({ entry, out, target }) {
  return {
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: out,
    bundle: true,
    platform: "node",
    format: "cjs",
    target,
    // The editor's own; and what the user installs beside the product, if at all, which is loaded by path.
    external: ["vscode", "node-llama-cpp"],
    // Its main entry is UMD, whose own `require` a bundler cannot follow.
    alias: {
      "jsonc-parser": "jsonc-parser/lib/esm/main.js",
      // Of its catalogue of the model hub, 300 KB, the reader of model files needs the tables of this file only.
      "@huggingface/tasks": join(root, "node_modules/@huggingface/tasks/dist/esm/gguf.js"),
    },
    plugins: [stubs, oneLanguage],
    ...given,
    minify: production,
    sourcemap: production ? false : "linked",
    sourcesContent: false,
    legalComments: "linked",
    metafile: true,
    logLevel: "warning",
    logOverride: { "empty-import-meta": "error" },
  };
}

/** Ends the build if something slipped in that must not. */
function inspect(metafile) {
  const inputs = Object.keys(metafile.inputs);
  const addons = inputs.filter((path) => path.endsWith(".node"));
  const unwanted = inputs.filter((path) => leftOut.some((name) => path.includes(`node_modules/${name}/`)));
  const outputs = Object.keys(metafile.outputs).filter((path) => path.endsWith(".node"));
  const wrong = [...addons, ...unwanted, ...outputs];
  if (wrong.length > 0) throw new Error(`These must not be bundled: ${wrong.join(", ")}`);
}

function report({ metafile }) {
  inspect(metafile);
  for (const [path, { bytes }] of Object.entries(metafile.outputs))
    if (path.endsWith(".js")) console.log(`${path.padEnd(24)} ${Math.ceil(bytes / 1024)} KB`);
}

async function build(bundle) {
  report(await esbuild.build(optionsFor(bundle)));
  if (bundle.executable) chmodSync(join(root, bundle.out), 0o755);
}

async function watchOver(bundle) {
  const options = optionsFor(bundle);
  const tell = {
    name: "report",
    setup: (it) => it.onEnd((result) => void (result.metafile && report(result))),
  };
  const context = await esbuild.context({ ...options, plugins: [...options.plugins, tell] });
  await context.watch();
}

async function main() {
  if (!watch) rmSync(join(root, "dist"), { recursive: true, force: true });
  await Promise.all(bundles.map(watch ? watchOver : build));
}

main().catch((error) => {
  // esbuild has printed its own errors already.
  if (!Array.isArray(error.errors)) console.error(error.message);
  process.exitCode = 1;
});
