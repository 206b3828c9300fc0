/** Which weights of a policy line are in force: a stack of promotions (EXIT.md section 7). */

/** A change of the policy in force. */
export type Promotion = {
  /** Of the policy (policy-version.ts). */
  readonly line: string;
  /** ISO 8601. */
  readonly at: string;
} & (
  | {
      readonly kind: "promoted";
      /** Tuned model. */
      readonly model: string;
      /** The gate it passed; null: promoted by hand without one. */
      readonly gate: string | null;
    }
  | { readonly kind: "rolledBack" }
);

export interface InForce {
  /** Promotions of the line up to it; 0: the base. */
  readonly version: number;
  /** Tuned model; null: the base. */
  readonly model: string | null;
}

const base: InForce = { version: 0, model: null };

/**
 * The versions of a line that are on top of each other, the base first and the one in force last. A version that was
 * rolled back is gone, but its number is not given again: nodes and groups name it.
 */
export function stackOf(promotions: readonly Promotion[], line: string): readonly InForce[] {
  const stack: InForce[] = [base];
  let promoted = 0;
  for (const promotion of promotions) {
    if (promotion.line !== line) continue;
    if (promotion.kind === "promoted") stack.push({ version: ++promoted, model: promotion.model });
    else if (stack.length > 1) stack.pop();
  }
  return stack;
}

export function inForce(promotions: readonly Promotion[], line: string): InForce {
  return stackOf(promotions, line).at(-1) ?? base;
}

/** Version a tuned model was promoted as, whether it is in force now or not; null: never. */
export function versionOf(promotions: readonly Promotion[], line: string, model: string): number | null {
  const promoted = promotions.filter((one) => one.line === line && one.kind === "promoted");
  const at = promoted.findLastIndex((one) => one.kind === "promoted" && one.model === model);
  return at < 0 ? null : at + 1;
}
