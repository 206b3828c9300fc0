/** Hands values from callbacks to one reader, in order. */
export interface Inbox<T> extends AsyncIterable<T> {
  put(value: T): void;
  /** No more values; with an error, the reader gets it at once, before values not read yet. */
  close(error?: { readonly reason: unknown }): void;
}

export function createInbox<T>(): Inbox<T> {
  const values: T[] = [];
  let closed = false;
  let failure: { readonly reason: unknown } | null = null;
  let wake = () => {};

  return {
    put(value) {
      values.push(value);
      wake();
    },
    close(error) {
      if (closed) return;
      closed = true;
      failure = error ?? null;
      wake();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        if (failure) throw failure.reason;
        const value = values.shift();
        if (value !== undefined) yield value;
        else if (closed) return;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    },
  };
}
