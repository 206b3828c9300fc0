/**
 * The port `Arbiter` on lock files that all runners of the machine share. A ticket is granted when what is held and
 * what earlier tickets wait for leave room for it, so small needs never starve a large one. A process has one
 * ticket waiting at a time, so that a runner with a hundred trials to make does not make others wait for all of them.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { abortable } from "../../core/abortable.ts";
import { ExitError, messageOf } from "../../core/errors.ts";
import { refuseTooLarge } from "../../core/need.ts";
import type { Arbiter, Capacity, Lease, LeasePurpose, Need } from "../../core/ports.ts";
import { thisProcess } from "./holder.ts";
import { alone, sweep } from "./mutex.ts";
import { liveTickets, namesIn, putTicket, removeTicket, type Ticket } from "./tickets.ts";

/** Milliseconds after which a waiting process looks again whether another one gave something back. */
const lookAgainMs = 250;
/** Of shares of a processor, which are added up. */
const rounding = 1e-6;

export interface ArbiterSettings {
  /** A folder of the user's that all runners of this machine, and no other machine, share. Made when needed. */
  readonly folder: string;
  /** Of the engine this process uses. */
  readonly capacity: () => Promise<Capacity>;
}

export function createArbiter({ folder, capacity }: ArbiterSettings): Arbiter {
  const waiting = new Set<() => void>();
  let last: Promise<unknown> = Promise.resolve();

  const giveBack = (ticket: Ticket): void => {
    try {
      removeTicket(folder, ticket);
    } catch {
      // It ends with this process at the latest.
    }
    for (const tell of waiting) tell();
  };

  const take = async (need: Need, purpose: LeasePurpose, signal: AbortSignal): Promise<Lease> => {
    const has = await abortable(capacity(), signal);
    refuseTooLarge(need, has, purpose === "revision" ? "A revision" : `The ${purpose}`);
    const token = randomBytes(8).toString("hex");
    let ticket: Ticket = { ...thisProcess(), ...need, purpose, granted: null, number: 0, token };
    try {
      for (;;) {
        signal.throwIfAborted();
        ticket = ask(folder, ticket, has) ?? ticket;
        if (ticket.granted !== null) break;
        await nextChance(waiting, signal);
      }
    } catch (error) {
      giveBack(ticket);
      throw error;
    }
    const granted = ticket;
    return { gpus: granted.granted ?? [], release: () => giveBack(granted) };
  };

  return {
    lease(need, purpose, signal) {
      const before = last;
      const mine = abortable(before, signal).then(() => take(need, purpose, signal));
      last = Promise.allSettled([before, mine]);
      return mine;
    },
  };
}

/** Files the ticket, granted if there is room. Null: somebody else is at the tickets just now. */
function ask(folder: string, asked: Ticket, has: Capacity): Ticket | null {
  const mutex = join(folder, "mutex");
  return explained(folder, () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return alone(mutex, () => {
      const names = namesIn(folder);
      sweep(mutex, names);
      const tickets = liveTickets(folder, names);
      const isFiled = tickets.some(({ token }) => token === asked.token);
      const number = isFiled ? asked.number : (tickets.at(-1)?.number ?? 0) + 1;
      const granted = grant(
        asked,
        tickets.filter((other) => other.token !== asked.token && isAhead(other, number)),
        has,
      );
      const ticket = { ...asked, number, granted };
      if (!isFiled || granted !== null) putTicket(folder, ticket);
      return ticket;
    });
  });
}

/** Does it hold something, or did it come earlier? */
function isAhead(other: Ticket, number: number): boolean {
  return other.granted !== null || other.number < number;
}

/** The GPU ids it gets, or null where the rest is not enough. */
function grant(asked: Ticket, ahead: readonly Ticket[], has: Capacity): string[] | null {
  const sum = (of: (ticket: Ticket) => number): number => ahead.reduce((total, each) => total + of(each), 0);
  const taken = new Set(ahead.flatMap((each) => each.granted ?? []));
  const reserved = sum((each) => (each.granted === null ? each.gpus : 0));
  const free = has.gpus.filter((id) => !taken.has(id));
  const enough =
    sum((each) => each.cpus) + asked.cpus <= has.cpus + rounding &&
    sum((each) => each.memory) + asked.memory <= has.memory &&
    (asked.gpus === 0 || reserved + asked.gpus <= free.length);
  return enough ? free.slice(0, asked.gpus) : null;
}

/** Resolves when this process gave something back, or after a while, since another one may have. */
async function nextChance(waiting: Set<() => void>, signal: AbortSignal): Promise<void> {
  let tell: () => void = () => undefined;
  let timer: NodeJS.Timeout | undefined;
  const told = new Promise<void>((resolve) => {
    tell = resolve;
    timer = setTimeout(resolve, lookAgainMs);
  });
  waiting.add(tell);
  try {
    await abortable(told, signal);
  } finally {
    waiting.delete(tell);
    clearTimeout(timer);
  }
}

function explained<T>(folder: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOSPC" || code === "EDQUOT")
      throw new ExitError(
        "disk-full",
        `The disk is full: ${folder} could not be written. Free some space and try again.`,
        { cause: error },
      );
    throw new ExitError(
      "leases-unwritable",
      `What the runners of this machine use cannot be written down in ${folder}: ${messageOf(error)}. Make the folder writable, or name another place with XDG_STATE_HOME.`,
      { cause: error },
    );
  }
}
