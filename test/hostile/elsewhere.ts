/** Cases of the catalogue that this suite does not play: tested at another place, or not at all and why. */

export interface Elsewhere {
  readonly id: string;
  readonly tries: string;
  readonly promise: string;
  /** Markdown: the test that plays it, or the reason why none does. */
  readonly where: string;
}

export const elsewhere: readonly Elsewhere[] = [
  {
    id: "R9",
    tries: "relies on the engine's own size limit of a container",
    promise: "never used: `/work` is a volume with a limit of its own (R10)",
    where: "not played: engines know that limit on xfs with project quotas only",
  },
  {
    id: "R27",
    tries: "takes all memory of a GPU, hangs it, leaves its context behind",
    promise: "GPUs are given by number; what holds one is removed with its container",
    where: "not played: needs a GPU",
  },
  {
    id: "T21",
    tries: "copies predictions from labels that stand in the training data",
    promise: "none: what a task's inputs give away is its author's to judge",
    where: "not played: it is about data, not about the sandbox",
  },
];
