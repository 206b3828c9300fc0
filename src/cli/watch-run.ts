/** Starts a run over a connection and tells its story until it ends. */

import { newBoard } from "../client/board.ts";
import type { Client } from "../client/connect.ts";
import { metricNames } from "../client/words/metric.ts";
import { ExitError } from "../protocol/errors.ts";
import type { EventOf, RunEvent } from "../protocol/events.ts";
import { type Context, saidBy } from "./context.ts";
import { type Live, openLive } from "./progress/live.ts";
import { type ProgressOptions, statusLine, tell, tellAdopted } from "./progress/progress.ts";
import { summary } from "./progress/summary.ts";
import type { RunRequest } from "./run-options.ts";

/** The exit code of a program that was interrupted. */
const interrupted = 130;

/** Told one after the other; resolves when it is. */
type Teller = (event: RunEvent) => Promise<void>;

/** @returns the exit code: 0 if the run reached a limit, 1 if it failed, 130 if it was stopped or left alone */
export async function watchRun(client: Client, request: RunRequest, context: Context): Promise<number> {
  const events = gather(client, context);
  const interruption = handleInterrupts(client, context);
  const gone = client.closed.then(() => {
    throw new ExitError(
      "runner-gone",
      "The runner ended in the middle of the run; .exit/logs/runner.log may say why. What was finished is kept: the same command goes on from there.",
    );
  });
  gone.catch(() => undefined); // hanging up ourselves at the end is no error
  let teller: RunTeller | null = null;
  let isOver = false;
  const ended = (async () => {
    const { run } = await client.call("startRun", request);
    interruption.started();
    teller = context.json ? tellJson(context) : await tellText(client, run, context);
    if (isOver) teller.stop();
    return events.tellUntilEnd(run.id, teller.tell);
  })();
  try {
    const end = await Promise.race([ended, gone, interruption.detached]).finally(() => {
      isOver = true;
      teller?.stop();
    });
    if (end === "detached") return interrupted;
    if (!context.json) {
      const { style, host, command } = context;
      // A runner that was told to end gives no more answers; then the summary is shorter.
      const status = await client.call("status", {}).catch(() => null);
      const lines = summary(end, status?.tasks ?? [], { style, command });
      host.out(lines.map((line) => `${line}\n`).join(""));
    } else if (end.error !== null) context.say(end.error.message);
    if (end.reason === "error") return 1;
    return end.reason === "stopped" ? interrupted : 0;
  } finally {
    ended.catch(() => undefined);
    interruption.dispose();
    events.dispose();
  }
}

/** Keeps the events of the run until `startRun` has said that it is ours; messages are shown at once. */
function gather(client: Client, context: Context) {
  const kept: RunEvent[] = [];
  let take: ((event: RunEvent) => void) | null = null;
  const dispose = client.onEvent((event) => {
    if (take !== null) take(event);
    else if (saidBy(event) !== null && !context.json) context.say(saidBy(event) ?? "");
    else kept.push(event);
  });
  return {
    dispose,
    tellUntilEnd: (run: string, tellOne: Teller): Promise<EventOf<"runEnded">> =>
      new Promise((resolve, reject) => {
        take = (event) => {
          const told = tellOne(event);
          told.catch(reject);
          if (event.type === "runEnded" && event.run.id === run) void told.then(() => resolve(event), reject);
        };
        for (const event of kept.splice(0)) take(event);
      }),
  };
}

/** The first Ctrl-C asks the run to end; the second leaves it to that. */
function handleInterrupts(client: Client, context: Context) {
  let asked = false;
  // How it ends comes as an event; a call that fails changes nothing about that.
  const stop = (): void => void client.call("stopRun", {}).catch(() => undefined);
  let detach: (value: "detached") => void = () => undefined;
  const detached = new Promise<"detached">((resolve) => {
    detach = resolve;
  });
  const dispose = context.host.onInterrupt(() => {
    if (asked) {
      context.say("Left alone; the run stops by itself and can be continued by the same command.");
      detach("detached");
      return;
    }
    asked = true;
    context.say(
      "\nFinishing what is under way …; the run can be continued by the same command. Ctrl-C again leaves at once.",
    );
    stop();
  });
  /** What was asked while the run was still starting found nothing to stop. */
  const started = (): void => {
    if (asked) stop();
  };
  return { detached, started, dispose };
}

interface RunTeller {
  readonly tell: Teller;
  stop(): void;
}

function tellJson({ host }: Context): RunTeller {
  return {
    tell: async (event) => host.out(`${JSON.stringify(event)}\n`),
    stop: () => undefined,
  };
}

async function tellText(
  client: Client,
  run: EventOf<"runEnded">["run"],
  { host, style }: Context,
): Promise<RunTeller> {
  const [{ nodes }, { tasks }] = await Promise.all([
    client.call("tree", { task: null }),
    client.call("status", {}),
  ]);
  const board = newBoard(
    run,
    nodes.filter((node) => run.tasks.includes(node.task)),
  );
  const live: Live = openLive(host.out, host.stdoutIsTTY, host.columns);
  let doing = "";
  const refresh = (): void => live.status(statusLine(board, host.now()) || doing);
  const stopTicking = host.stdoutIsTTY ? host.every(1_000, refresh) : () => undefined;
  const show = async (event: RunEvent): Promise<void> => {
    const options: ProgressOptions = { style, metrics: metricNames(tasks), columns: host.columns() };
    if (event.type === "progress") doing = event.text;
    if (event.type === "progress" && !host.stdoutIsTTY) live.lines([event.text]);
    if ("group" in event && !board.groups.has(event.group)) {
      // An earlier session opened it: what it had come to is in the history.
      const group = await client.call("showGroup", { group: event.group }).catch(() => null);
      if (group !== null) live.lines(tellAdopted(board, group, host.now(), options));
    }
    live.lines(tell(board, event, host.now(), options));
    refresh();
  };
  let last = Promise.resolve();
  return {
    tell(event) {
      last = last.then(() => show(event));
      return last;
    },
    stop() {
      stopTicking();
      live.end();
    },
  };
}
