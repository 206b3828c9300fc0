/** What the card says of a form: how to load it, what an example is, and what the form cannot hold. */
import type { ExportFormat } from "./format.ts";

const wholeText = [
  "A reply stands in it whole, as the model wrote it, with any thinking and not only the part that was edited in: how a",
  "reply is written is part of what is learnt. (Where the chat template opens the thinking, the text begins inside it.)",
  "The reader renders the messages with the chat template of its own tokenizer and sets the length it cuts at (TRL's",
  "`max_length` is 1024 tokens, prompt included, unless you change it). The exact string and tokens that the model saw are",
  "only in the native form, and so is what tells apart the tokens of constrained replies that the sampler had no choice in:",
  "here they count like all others.",
];

const best = [
  "Replies that count: those with the highest reward of their iteration, if it is above 0. Equal texts of an iteration",
  "count once; replies that were cut count never.",
];

const origin = "`task`, `goal`, `group` and `policy` say where an example comes from.";

export const explanations: Readonly<Record<ExportFormat, readonly string[]>> = {
  native: [
    "Each line of `groups.jsonl` is one iteration: a prompt, the replies sampled for it, what each scored, and the rewards",
    "and advantages that follow. `schema.json` describes a line. `text` is a whole reply with any thinking, `answer` the",
    "part of it that was edited in.",
  ],
  "trl-sft": [
    "Each line of `train.jsonl` is one example for TRL's `SFTTrainer`: `prompt` and `completion`, both as messages.",
    `\`reward\` is the reply's. ${origin}`,
    "",
    ...best,
    "",
    ...wholeText,
  ],
  "trl-dpo": [
    "Each line of `train.jsonl` is one pair for TRL's `DPOTrainer`: `prompt`, `chosen` and `rejected`, all as messages.",
    `\`chosenReward\` and \`rejectedReward\` are the replies'. ${origin}`,
    "",
    "Pairs are made within an iteration: the best reply with the worst, the second best with the second worst, and so on",
    "while their rewards differ by what makes an iteration informative (0.01, or more where the start's score is noisy).",
    "Each reply is in one pair at most, so an iteration gives at most half as many pairs as it has replies. Equal texts",
    "count once; replies that were cut count never. A chosen reply is better than its partner, not always better than the",
    "start: export with `--improving` if it has to be.",
    "",
    ...wholeText,
  ],
  "trl-kto": [
    "Each line of `train.jsonl` is one example for TRL's `KTOTrainer`: `prompt` and `completion` as messages, and `label`.",
    `\`reward\` is the reply's. ${origin}`,
    "",
    "`label` is true for a reward above the mean of its iteration and above 0, false for one below the mean. Replies nearer",
    "to the mean than half of what makes an iteration informative (0.01, or more where the start's score is noisy) are left",
    "out: two labels never differ by noise alone. Equal texts count once; replies that were cut count never.",
    "",
    ...wholeText,
  ],
  verl: [
    "Each row of `train.parquet` is one prompt for verl's RLHF dataset: `data_source`, `prompt` (messages), `ability`",
    "(the goal of the step), `reward_model` and `extra_info`. Each prompt is there once.",
    "",
    "A stored task has no ground truth: a reward comes from running the solution in the sandbox. `ground_truth` is the empty",
    "string and `style` is `rule`, because verl asks for them; verl knows no `data_source` that begins with `exit-ml/`, so a",
    "reward function of your own is needed (`custom_reward_function.path`). `extra_info` names the task and the start of the",
    "step, with the quality a reply has to beat (`startQuality`, null for a bare request) and how much the recorded replies",
    "differed (`learnability`). The recorded replies have no place in this form.",
  ],
  openai: [
    "Each line of `train.jsonl` is one chat as OpenAI's supervised fine-tuning reads it: `messages`, the last of which is the",
    "reply to learn. Nothing else may stand in a line, so where an example comes from is not in it.",
    "",
    ...best,
    "",
    ...wholeText,
  ],
};
