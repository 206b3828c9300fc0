// A Python for the oracle of the engine (test/oracle): its standard library is all that it needs.
import { canInstallPackages, installCommand, installPackages } from "./apt.mjs";
import { ask, findProgram } from "./process.mjs";

const oldest = { major: 3, minor: 10 };

/**
 * @param {{ progress: (text: string) => void }} options
 * @returns {Promise<{ program: string }>}
 */
export async function python({ progress }) {
  const found = await newEnough();
  if (found) return { program: found };
  if (canInstallPackages()) {
    progress("installing Python");
    await installPackages(["python3"], "Installing Python", { recommended: false });
    const installed = await newEnough();
    if (installed) return { program: installed };
  }
  const remedy = findProgram("apt-get") ? installCommand("python3") : "install it from python.org";
  throw new Error(`Python ${oldest.major}.${oldest.minor} or newer is needed. What brings it: ${remedy}`);
}

/** @returns {Promise<string | undefined>} */
async function newEnough() {
  const { major, minor } = oldest;
  for (const name of ["python3", "python"]) {
    const program = findProgram(name);
    const test = `import sys; print(sys.version_info >= (${major}, ${minor}))`;
    if (program && (await ask(program, ["-c", test])) === "True") return program;
  }
  return undefined;
}
