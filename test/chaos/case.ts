/** What a case of this suite is. */

/** A fault around the sandbox, injected into the real thing; `play` throws an assertion error when a promise is broken. */
export interface ChaosCase {
  /** Number in the catalogue of test/hostile. */
  readonly id: string;
  readonly tries: string;
  readonly promise: string;
  play(tell: (note: string) => void): Promise<void>;
}

export function chaos(definition: ChaosCase): ChaosCase {
  return definition;
}
