// The walls of docs/ARCHITECTURE.md: who may import whom. Every rule names the room it protects.
const inside = (folder) => `^src/${folder}/`;
/** Anything of `src/` outside the listed rooms. */
const outside = (...folders) => `^src/(?!(${folders.join("|")})/)`;
const npm = "node_modules/";

module.exports = {
  forbidden: [
    {
      name: "no-circular",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "no-unresolvable",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: "^node-llama-cpp$" },
    },
    {
      name: "core-imports-core",
      severity: "error",
      from: { path: inside("core") },
      to: { path: outside("core") },
    },
    {
      name: "core-is-pure",
      severity: "error",
      from: { path: inside("core") },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "core-libraries",
      severity: "error",
      from: { path: inside("core") },
      to: { path: npm, pathNot: "node_modules/zod/" },
    },
    {
      name: "adapters-import-core",
      severity: "error",
      from: { path: inside("adapters") },
      to: { path: outside("core", "adapters") },
    },
    {
      name: "adapters-do-not-meet",
      severity: "error",
      from: { path: "^src/adapters/([^/]+)/" },
      to: { path: "^src/adapters/", pathNot: "^src/adapters/$1/" },
    },
    {
      name: "app-imports",
      severity: "error",
      from: { path: inside("app") },
      to: { path: outside("app", "core", "adapters") },
    },
    {
      name: "protocol-imports",
      severity: "error",
      from: { path: inside("protocol") },
      to: { path: outside("protocol", "core") },
    },
    {
      name: "protocol-libraries",
      severity: "error",
      from: { path: inside("protocol") },
      to: { path: npm, pathNot: "node_modules/(zod|vscode-jsonrpc)/" },
    },
    {
      name: "runner-imports",
      severity: "error",
      from: { path: inside("runner") },
      to: { path: outside("runner", "app", "protocol", "core") },
    },
    {
      name: "client-imports",
      severity: "error",
      from: { path: inside("client") },
      to: { path: outside("client", "protocol") },
    },
    {
      name: "cli-imports",
      severity: "error",
      from: { path: inside("cli") },
      to: { path: outside("cli", "client", "protocol") },
    },
    {
      name: "extension-imports",
      severity: "error",
      from: { path: inside("extension") },
      to: { path: outside("extension", "client", "protocol") },
    },
    {
      name: "vscode-only-in-extension",
      severity: "error",
      from: { path: "^src/", pathNot: inside("extension") },
      to: { path: "^vscode$|node_modules/@types/vscode/" },
    },
    {
      name: "docker-only-in-docker",
      severity: "error",
      from: { path: "^src/", pathNot: inside("adapters/docker") },
      to: { path: "node_modules/(dockerode|docker-modem)/" },
    },
    {
      name: "ollama-only-in-ollama",
      severity: "error",
      from: { path: "^src/", pathNot: inside("adapters/ollama") },
      to: { path: "node_modules/(ollama|@huggingface/gguf)/" },
    },
    {
      name: "git-only-in-git",
      severity: "error",
      from: { path: "^src/", pathNot: inside("adapters/git") },
      to: { path: "node_modules/simple-git/" },
    },
    {
      name: "chokidar-only-in-watch",
      severity: "error",
      from: { path: "^src/", pathNot: inside("adapters/watch") },
      to: { path: "node_modules/chokidar/" },
    },
    {
      name: "parquet-only-in-parquet",
      severity: "error",
      from: { path: "^src/", pathNot: inside("adapters/parquet") },
      to: { path: "node_modules/hyparquet(-writer)?/" },
    },
    {
      name: "sqlite-only-in-sqlite",
      severity: "error",
      from: { path: "^src/", pathNot: inside("adapters/sqlite") },
      to: { path: "^(node:)?sqlite$" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
      mainFields: ["main", "types"],
    },
    builtInModules: { add: ["node:sqlite", "sqlite"] },
  },
};
