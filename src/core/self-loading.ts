/**
 * Files that programs pick up by themselves: code an interpreter imports, settings a tool reads from the folder it is
 * started in. Outputs lie in the evaluator's working folder, so none of these may be one (DESIGN.md section 5).
 */

/** Code: Python, native libraries, the Java machine, R, Julia, JavaScript, Perl, Ruby, Lua, shells. */
const code =
  /\.(py|pyw|pyc|pyo|pth|pyd|egg|whl|egg-link|so(\.\d+)*|dylib|dll|jar|class|r|jl|js|mjs|cjs|jsx|ts|mts|cts|tsx|node|pl|pm|rb|lua|php|sh|bash|zsh|mk)$/;

/** Settings and programs known by their name. */
const names = new Set(
  `
  pytest.ini .pytest.ini tox.ini setup.cfg pyproject.toml pytest.toml .pytest.toml mypy.ini .coveragerc pyvenv.cfg
  python._pth matplotlibrc .pdbrc .pythonrc .pypirc pip.conf .condarc .rprofile .renviron .rdata package.json
  tsconfig.json jsconfig.json .npmrc .yarnrc .yarnrc.yml .babelrc .rspec .perltidyrc makefile gnumakefile rakefile
  gemfile .env .envrc .netrc .curlrc .wgetrc .inputrc .profile .bashrc .bash_profile .bash_login .zshrc .zshenv
  .zprofile .gitconfig .gitattributes .gitmodules .gdbinit .lldbinit .vimrc .exrc .octaverc startup.m
  log4j.properties log4j2.xml
  `
    .trim()
    .split(/\s+/),
);

/** Folders whose content is loaded. */
const folders = /^(__pycache__|node_modules|.*\.(dist-info|egg-info)|\.git|\.config|\.ipython|\.vscode)$/;

/** @param path with `/`; upper and lower case are the same, as on some file systems. */
export function isSelfLoading(path: string): boolean {
  const parts = path.toLowerCase().split("/");
  const name = parts.at(-1) ?? "";
  return code.test(name) || names.has(name) || parts.some((part) => folders.test(part));
}
