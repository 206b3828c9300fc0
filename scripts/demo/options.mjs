// The demo's command line: its own options, and everything else for `exit-ml run`.

/**
 * @typedef {object} DemoOptions
 * @property {string} workspace folder with the task, relative to the repository unless -C named another
 * @property {string | undefined} model as given with --model
 * @property {string | undefined} runtime as given with --runtime
 * @property {boolean} help
 * @property {string[]} run arguments of `exit-ml run`
 */

/** Any of these ends a run: with one of them, the demo adds no limit of its own. */
const endings = ["--iterations", "--hours", "--tokens", "--target"];

/** @param {string[]} args @returns {DemoOptions} */
export function demoOptions(args) {
  /** @param {...string} names */
  const given = (...names) => names.map((name) => valueIn(args, name)).find((value) => value !== undefined);
  const example = given("--example") ?? "digits-config";
  if (!/^[\w.-]+$/.test(example) || example.startsWith(".")) {
    throw new Error(`--example takes the name of a folder under examples/, not "${example}".`);
  }
  const elsewhere = given("-C");
  const workspace = elsewhere ?? `examples/${example}`;
  const rest = without(without(args, "--example"), "-C");
  // In a folder of the user's own, only the user knows the task's name.
  const chosen = given("--task") !== undefined || args.includes("--all") || elsewhere !== undefined;
  const task = chosen ? [] : ["--task", example];
  const iterations = given(...endings) === undefined ? ["--iterations", "6"] : [];
  const group = given("--group-size") === undefined ? ["--group-size", "8"] : [];
  return {
    workspace,
    model: given("--model"),
    runtime: given("--runtime"),
    help: args.includes("--help") || args.includes("-h"),
    run: [...task, ...iterations, ...group, ...rest, "-C", workspace],
  };
}

/**
 * @param {string[]} args
 * @param {string} name
 * @returns {string | undefined} the last one given, as "--name value" or "--name=value"
 */
function valueIn(args, name) {
  let value;
  args.forEach((arg, index) => {
    if (arg === name) value = needValue(name, args[index + 1]);
    else if (arg.startsWith(`${name}=`)) value = needValue(name, arg.slice(name.length + 1));
  });
  return value;
}

/** @param {string} name @param {string | undefined} value */
function needValue(name, value) {
  if (!value || value.startsWith("--")) throw new Error(`${name} needs a value.`);
  return value;
}

/** @param {string[]} args @param {string} name */
function without(args, name) {
  return args.filter((arg, index) => arg !== name && !arg.startsWith(`${name}=`) && args[index - 1] !== name);
}
