import type { PolicyInfo } from "./ports.ts";

/**
 * The name of a policy version: `<model>@<weights>.<template>#v<promotions>`, with the first 12 and 6 digits of
 * the digests. Versions of one line share everything before `#v`: base weights and chat template.
 * @throws RangeError for a tuned model that was not promoted: it has no version.
 */
export function policyVersion(info: PolicyInfo): string {
  const version = info.tuned === undefined ? 0 : info.tuned.version;
  if (version === null) throw new RangeError(`tuned model ${info.tuned?.id} has no version`);
  return `${policyLine(info)}#v${version}`;
}

/** What an evaluation calls a policy: the same weights have the same name before and after their promotion. */
export function evaluatedName(info: PolicyInfo): string {
  return `${policyLine(info)}#${info.tuned?.id ?? "v0"}`;
}

/** The same for people: without digests. */
export function shownName({ model, tuned }: Pick<PolicyInfo, "model" | "tuned">): string {
  return tuned === undefined ? model : `${model}#${tuned.id}`;
}

export function policyLine(info: Pick<PolicyInfo, "model" | "digest" | "templateDigest">): string {
  return `${info.model}@${info.digest.slice(0, 12)}.${info.templateDigest.slice(0, 6)}`;
}

/** How many versions `older` lies behind `current`; Infinity for a policy of another line. */
export function versionsBehind(current: string, older: string): number {
  const [currentLine, currentVersion] = current.split("#v");
  const [olderLine, olderVersion] = older.split("#v");
  if (currentLine !== olderLine) return Number.POSITIVE_INFINITY;
  return Math.max(0, Number(currentVersion) - Number(olderVersion));
}
