/** From a group to examples: what every form has in common. */
import { z } from "zod";
import { type Group, goals, type Message } from "../history.ts";
import { type ExportFilter, isWanted } from "./select.ts";

/** Why a reply is in no example. */
export type ReplyReason =
  | "no reward"
  | "cut short"
  | "same text as another"
  | "does not pass the filter"
  | "not among the best"
  | "no reward above 0"
  | "no partner far enough away"
  | "near the mean of its iteration"
  | "this form has prompts only"
  | "its prompt is there already";

/** What became of one group. Each of its replies is used or has a reason. */
export interface Converted<Row> {
  readonly rows: readonly Row[];
  readonly left: readonly ReplyReason[];
}

export type Convert<Row> = (group: Group) => Converted<Row>;

/** A whole reply with a reward. */
export interface Member {
  readonly index: number;
  /** The whole completion, any thinking included: the form of a reply is part of what is learnt. */
  readonly text: string;
  readonly reward: number;
  /** It passes the user's filter: it may be imitated. */
  readonly wanted: boolean;
}

/**
 * The replies that may stand in an example, by index. Left out are those without a reward, those that were cut (they
 * have no end to learn), and all but the first of equal texts.
 */
export function membersOf(
  group: Group,
  filter: ExportFilter,
): { readonly members: readonly Member[]; readonly left: readonly ReplyReason[] } {
  const members: Member[] = [];
  const left: ReplyReason[] = [];
  const texts = new Set<string>();
  for (const { index, text, reward, quality, finish } of group.replies) {
    if (reward === null) left.push("no reward");
    else if (finish !== "stop") left.push("cut short");
    else if (texts.has(text)) left.push("same text as another");
    else {
      texts.add(text);
      members.push({ index, text, reward, wanted: isWanted(quality, group, filter) });
    }
  }
  return { members, left };
}

/** The replies to imitate: those with the highest reward of the group, if that is above 0. */
export function bestOf(
  group: Group,
  filter: ExportFilter,
): { readonly best: readonly Member[]; readonly left: readonly ReplyReason[] } {
  const { members, left } = membersOf(group, filter);
  const highest = Math.max(...members.map(({ reward }) => reward));
  const best: Member[] = [];
  const reasons = members.flatMap((member): ReplyReason[] => {
    if (member.reward < highest) return ["not among the best"];
    if (member.reward <= 0) return ["no reward above 0"];
    if (!member.wanted) return ["does not pass the filter"];
    best.push(member);
    return [];
  });
  return { best, left: [...left, ...reasons] };
}

export const asAssistant = (content: string): Message => ({ role: "assistant", content });

export const messagesSchema = z.array(
  z.object({ role: z.enum(["system", "user", "assistant"]), content: z.string() }),
);

/** Where an example comes from, in columns beside those its reader asks for. */
export const originSchema = z.object({
  task: z.string(),
  goal: z.enum(goals),
  group: z.string(),
  policy: z.string(),
});

export const originOf = ({ id, task, goal, policy }: Group): z.infer<typeof originSchema> => ({
  ...{ task, goal, group: id, policy },
});
