/** The forms an export can have. */

export const exportFormats = ["native", "trl-sft", "trl-dpo", "trl-kto", "verl", "openai"] as const;
export type ExportFormat = (typeof exportFormats)[number];

interface FormatNote {
  readonly title: string;
  /** In one line: who reads it, and what one example is. */
  readonly meaning: string;
  /** The file that holds the examples. */
  readonly file: string;
}

export const formatNotes: Readonly<Record<ExportFormat, FormatNote>> = {
  native: {
    title: "ExIt ML",
    meaning: "whole iterations with tokens, log-probabilities and advantages, for fine-tuning here",
    file: "groups.jsonl",
  },
  "trl-sft": {
    title: "TRL SFT",
    meaning: "prompt and completion: the best replies of each iteration",
    file: "train.jsonl",
  },
  "trl-dpo": {
    title: "TRL DPO",
    meaning: "prompt, chosen and rejected: better and worse replies of one iteration",
    file: "train.jsonl",
  },
  "trl-kto": {
    title: "TRL KTO",
    meaning: "prompt, completion and label: each reply, desirable or not",
    file: "train.jsonl",
  },
  verl: {
    title: "verl",
    meaning: "parquet with the prompts alone, for a reward function of your own",
    file: "train.parquet",
  },
  openai: {
    title: "OpenAI messages",
    meaning: "chats that end with one of the best replies of their iteration",
    file: "train.jsonl",
  },
};

/** All files of an export of a format, the card included. */
export function filesOf(format: ExportFormat): readonly string[] {
  const { file } = formatNotes[format];
  return format === "native" ? ["README.md", file, "schema.json"] : ["README.md", file];
}
