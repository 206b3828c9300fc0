/**
 * Outputs cross from the revision to the evaluator, so nothing a program could load as code may be one
 * (DESIGN.md section 5).
 */
const importable = /\.(py|pyc|pyo|pyw|pth|pyd|dylib|dll|so(\.\d+)*)$/i;

export function isImportable(path: string): boolean {
  return importable.test(path) || path.split("/").some((part) => part.toLowerCase() === "__pycache__");
}
