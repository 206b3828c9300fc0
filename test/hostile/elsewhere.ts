/** Cases of the catalogue that this suite does not play: tested at another place, or not at all and why. */

export interface Elsewhere {
  readonly id: string;
  readonly tries: string;
  readonly promise: string;
  /** Markdown: the test that plays it, or the reason why none does. */
  readonly where: string;
}

const test = (path: string): string => `[${path}](../test/${path})`;

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
  {
    id: "D1",
    tries: "the engine is stopped in the middle of a run",
    promise: "infra; run again once",
    where: `${test("adapters/docker/faults.test.ts")} cuts its connections; stopping an engine is not played`,
  },
  {
    id: "D2",
    tries: "the engine is killed, so that its calls stay pending",
    promise: "infra within 15 s; nothing waits for a call that never returns",
    where: `${test("adapters/docker/faults.test.ts")} has it fall silent; killing an engine is not played`,
  },
  {
    id: "D7",
    tries: "the power fails after a file was renamed",
    promise: "what was said to be stored is stored: every record is flushed",
    where: "not played: needs a machine whose power can be cut",
  },
  {
    id: "D8",
    tries: "the disk of the history fills up",
    promise: "no half record",
    where: "not played yet: needs a small file system of its own",
  },
  {
    id: "D9",
    tries: "the engine's disk fills up",
    promise: "infra, never the revision's fault",
    where: "not played yet: needs an engine of its own",
  },
  {
    id: "D10",
    tries: "the wall clock jumps",
    promise: "limits are counted on a clock that does not; a duration never exceeds it",
    where: "not played: a test must not set the machine's clock",
  },
  {
    id: "D11",
    tries: "the machine sleeps in the middle of a run",
    promise: "the container is looked at again after waking",
    where: "not played: needs a machine that can be put to sleep",
  },
  {
    id: "D17",
    tries: "the engine's event stream breaks off",
    promise: "events are asked for once the container has ended; without them its state decides",
    where: "not played yet",
  },
];
