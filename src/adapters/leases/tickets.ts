/**
 * Who holds or waits for what: one file a ticket, numbered in the order they came. Written and swept with the
 * mutex held, each in one step; given back by removing the file.
 */
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { isAlive } from "./holder.ts";

const ticketSchema = z.object({
  pid: z.int(),
  started: z.string(),
  /** `revision`, `model` or `trainer`: for people who look into the folder. */
  purpose: z.string(),
  cpus: z.number(),
  /** Bytes. */
  memory: z.number(),
  gpus: z.number(),
  /** The GPU ids it was given; null while it waits. */
  granted: z.array(z.string()).nullable(),
});

export interface Ticket extends z.infer<typeof ticketSchema> {
  readonly number: number;
  /** Tells it from every other ticket. */
  readonly token: string;
}

const fileName = /^ticket-(\d+)-([0-9a-f]+)\.json$/;
const pathOf = (folder: string, { number, token }: Pick<Ticket, "number" | "token">): string =>
  join(folder, `ticket-${number}-${token}.json`);

/** The tickets of processes that live, in their order. Removes all others, and what a killed process left half-written. */
export function liveTickets(folder: string, names: readonly string[]): Ticket[] {
  const live: Ticket[] = [];
  for (const name of names.filter((each) => each.startsWith("ticket-"))) {
    const [, number, token] = fileName.exec(name) ?? [];
    const content = number === undefined ? null : read(join(folder, name));
    if (content !== null && token !== undefined && isAlive(content))
      live.push({ ...content, number: Number(number), token });
    else rmSync(join(folder, name), { recursive: true, force: true });
  }
  return live.sort((a, b) => a.number - b.number);
}

function read(file: string): z.infer<typeof ticketSchema> | null {
  try {
    return ticketSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return null;
  }
}

export function namesIn(folder: string): string[] {
  return readdirSync(folder);
}

export function putTicket(folder: string, ticket: Ticket): void {
  const { number, token, ...content } = ticket;
  const file = pathOf(folder, { number, token });
  writeFileSync(`${file}.draft`, JSON.stringify(content), { mode: 0o600 });
  renameSync(`${file}.draft`, file);
}

export function removeTicket(folder: string, ticket: Ticket): void {
  rmSync(pathOf(folder, ticket), { force: true });
}
