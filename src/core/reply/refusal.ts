/** A reply that cannot be read as an edit, with the sentence that says why. Never leaves this folder. */
export class Refusal extends Error {}

export function refuse(sentence: string): never {
  throw new Refusal(sentence);
}
