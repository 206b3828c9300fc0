/**
 * How many replies a server samples at once. It queues what goes beyond its setting without saying so; but then the
 * next reply begins only when another one has ended, which the order of the chunks shows.
 */

/** Chunks of a reply that may arrive out of their true order while it ends. */
const slack = 2;

/**
 * @param order which reply each chunk belongs to, as the chunks arrived.
 * @returns the most replies that were under way together.
 */
export function mostTogether(order: readonly number[]): number {
  const replies = [...new Set(order)].map((reply) => {
    const chunks = order.flatMap((owner, at) => (owner === reply ? [at] : []));
    return { from: chunks[0] ?? 0, to: chunks[Math.max(0, chunks.length - 1 - slack)] ?? 0 };
  });
  const together = replies.map(
    ({ from: at }) => replies.filter(({ from, to }) => from <= at && at <= to).length,
  );
  return Math.max(1, ...together);
}

/**
 * @param draw a short reply, chunk by chunk.
 * @param most replies asked for at once, after two have shown that there is any parallelism.
 */
export async function measureParallel(
  draw: (seed: number) => AsyncIterable<unknown>,
  most: number,
): Promise<number> {
  const together = async (count: number): Promise<number> => {
    const order: number[] = [];
    const replies = Array.from({ length: count }, async (_, reply) => {
      for await (const _chunk of draw(reply + 1)) order.push(reply);
    });
    await Promise.all(replies);
    return mostTogether(order);
  };
  const two = await together(2);
  return two < 2 ? two : Math.max(two, await together(most));
}
