/** What the runner tells every client unasked: notifications of the method `event`, one event each. */
import type { RunEvent } from "../core/reports.ts";

export type { RunEvent } from "../core/reports.ts";

export const eventMethod = "event";

export type EventOf<T extends RunEvent["type"]> = Extract<RunEvent, { type: T }>;
