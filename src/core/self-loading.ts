/**
 * Files that programs pick up by themselves: code an interpreter imports, settings a tool reads from the folder it is
 * started in. Outputs lie in the evaluator's working folder, so none of these may be one (DESIGN.md section 5).
 */

/** Code: Python, native libraries, the Java machine, R, Julia, JavaScript, Perl, Ruby, Lua, shells. */
const code =
  /\.(py|pyw|pyc|pyo|pyi|pyx|pth|pyd|egg|whl|egg-link|ipynb|so(\.\d+)*|dylib|dll|exe|jar|class|r|rprofile|jl|js|mjs|cjs|jsx|ts|mts|cts|tsx|node|wasm|pl|pm|rb|lua|php|sh|bash|zsh|fish|ps1|bat|cmd|mk)$/;

/** Settings and programs known by their name. */
const names = new Set(
  `
  pytest.ini .pytest.ini tox.ini setup.cfg pyproject.toml pytest.toml .pytest.toml mypy.ini .mypy.ini .coveragerc
  pyvenv.cfg python._pth requirements.txt pipfile environment.yml conda.yaml nose.cfg matplotlibrc .pdbrc .pythonrc
  .pypirc .condarc pip.conf .rprofile .renviron .rdata .rhistory renv.lock package.json tsconfig.json jsconfig.json
  .npmrc .yarnrc .yarnrc.yml .babelrc project.toml manifest.toml gemfile rakefile .rspec .perltidyrc makefile
  gnumakefile cmakelists.txt dockerfile .env .envrc .netrc .curlrc .wgetrc .inputrc .profile .bashrc .bash_profile
  .bash_login .bash_logout .zshrc .zshenv .zprofile .gitconfig .gitattributes .gitmodules .gdbinit .lldbinit .vimrc
  .exrc .screenrc .tmux.conf .octaverc startup.m log4j.properties log4j2.xml
  `
    .trim()
    .split(/\s+/),
);

/** Folders whose content is loaded. */
const folders =
  /^(__pycache__|node_modules|site-packages|.*\.(dist-info|egg-info)|\.git|\.config|\.ipython|\.jupyter|\.vscode|\.julia)$/;

/** @param path with `/`; upper and lower case are the same, as on some file systems. */
export function isSelfLoading(path: string): boolean {
  const parts = path.toLowerCase().split("/");
  const name = parts.at(-1) ?? "";
  return code.test(name) || names.has(name) || parts.some((part) => folders.test(part));
}
