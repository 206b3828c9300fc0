/**
 * Conversational sets for TRL, with the columns its documentation names (huggingface.co/docs/trl, Dataset formats).
 * Its trainers leave further columns alone.
 */
import { z } from "zod";
import type { Group } from "../history.ts";
import { informativeSpread } from "../reward.ts";
import {
  asAssistant,
  bestOf,
  type Convert,
  type Member,
  membersOf,
  messagesSchema,
  originOf,
  originSchema,
  type ReplyReason,
} from "./examples.ts";
import type { ExportFilter } from "./select.ts";

export const sftRowSchema = z.object({
  prompt: messagesSchema,
  completion: messagesSchema,
  reward: z.number(),
  ...originSchema.shape,
});
type SftRow = z.infer<typeof sftRowSchema>;

export const dpoRowSchema = z.object({
  prompt: messagesSchema,
  chosen: messagesSchema,
  rejected: messagesSchema,
  chosenReward: z.number(),
  rejectedReward: z.number(),
  ...originSchema.shape,
});
type DpoRow = z.infer<typeof dpoRowSchema>;

export const ktoRowSchema = z.object({ ...sftRowSchema.shape, label: z.boolean() });
type KtoRow = z.infer<typeof ktoRowSchema>;

export const toSft =
  (filter: ExportFilter): Convert<SftRow> =>
  (group) => {
    const { best, left } = bestOf(group, filter);
    return { rows: best.map((member) => completionOf(group, member)), left };
  };

/**
 * The best reply with the worst, the second best with the second worst, and so on while their rewards differ by what
 * makes a group informative. Each reply is used once, so a group gives at most half as many pairs as replies.
 */
export const toDpo =
  (filter: ExportFilter): Convert<DpoRow> =>
  (group) => {
    const { members, left } = membersOf(group, filter);
    const spread = spreadOf(group);
    const ranked = [...members].sort((a, b) => b.reward - a.reward || a.index - b.index);
    const rows: DpoRow[] = [];
    const reasons: ReplyReason[] = [];
    for (let chosen = ranked.shift(); chosen !== undefined; chosen = ranked.shift()) {
      const rejected = ranked.at(-1);
      if (rejected === undefined || chosen.reward - rejected.reward < spread)
        reasons.push("no partner far enough away");
      else if (!chosen.wanted) reasons.push("does not pass the filter");
      else {
        ranked.pop();
        rows.push({
          prompt: [...group.prompt.messages],
          chosen: [asAssistant(chosen.text)],
          rejected: [asAssistant(rejected.text)],
          chosenReward: chosen.reward,
          rejectedReward: rejected.reward,
          ...originOf(group),
        });
      }
    }
    return { rows, left: [...left, ...reasons] };
  };

/**
 * Desirable: above the mean of the group's rewards and above 0. Undesirable: below the mean. Both by at least half of
 * what makes a group informative, so that two replies with different labels differ by more than noise.
 */
export const toKto =
  (filter: ExportFilter): Convert<KtoRow> =>
  (group) => {
    const { members, left } = membersOf(group, filter);
    const rewards = group.replies.flatMap(({ reward }) => reward ?? []);
    const mean = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
    const margin = spreadOf(group) / 2;
    const rows: KtoRow[] = [];
    const reasons: ReplyReason[] = [];
    for (const member of members) {
      const distance = member.reward - mean;
      if (Math.abs(distance) < margin) reasons.push("near the mean of its iteration");
      else if (distance > 0 && member.reward <= 0) reasons.push("no reward above 0");
      else if (distance > 0 && !member.wanted) reasons.push("does not pass the filter");
      else rows.push({ ...completionOf(group, member), label: distance > 0 });
    }
    return { rows, left: [...left, ...reasons] };
  };

function completionOf(group: Group, { text, reward }: Member): SftRow {
  return {
    prompt: [...group.prompt.messages],
    completion: [asAssistant(text)],
    reward,
    ...originOf(group),
  };
}

function spreadOf({ reward, startQuality, startSE }: Group): number {
  return informativeSpread(reward, startQuality, startSE);
}
