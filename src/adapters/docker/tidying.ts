/** Removals nobody has to wait for: done in the background, tried again at the end if they failed. */

export interface Tidying {
  add(removal: () => Promise<void>): void;
  /** Returns when everything added so far, and by it, is done. @throws the first error that stayed. */
  finish(): Promise<void>;
}

export function createTidying(): Tidying {
  const underWay = new Set<Promise<void>>();
  let failed: (() => Promise<void>)[] = [];

  function add(removal: () => Promise<void>): void {
    const work = removal()
      .catch(() => {
        failed.push(removal);
      })
      .finally(() => underWay.delete(work));
    underWay.add(work);
  }

  return {
    add,
    async finish() {
      while (underWay.size > 0) await Promise.all(underWay);
      const again = failed;
      failed = [];
      const results = await Promise.allSettled(again.map((removal) => removal()));
      const stayed = results.find((result) => result.status === "rejected");
      if (stayed) throw stayed.reason;
    },
  };
}
