import type { PolicyInfo } from "./ports.ts";

/**
 * The name of a policy version: `<model>@<weights>.<template>#v<promotions>`, with the first 12 and 6 digits of
 * the digests. Versions of one line share everything before `#v`: base weights and chat template.
 */
export function policyVersion(info: PolicyInfo, promotions: number): string {
  return `${policyLine(info)}#v${promotions}`;
}

function policyLine(info: PolicyInfo): string {
  return `${info.model}@${info.digest.slice(0, 12)}.${info.templateDigest.slice(0, 6)}`;
}

/** How many versions `older` lies behind `current`; Infinity for a policy of another line. */
export function versionsBehind(current: string, older: string): number {
  const [currentLine, currentVersion] = current.split("#v");
  const [olderLine, olderVersion] = older.split("#v");
  if (currentLine !== olderLine) return Number.POSITIVE_INFINITY;
  return Math.max(0, Number(currentVersion) - Number(olderVersion));
}
