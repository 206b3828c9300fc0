"""Every form of `exit-ml export`, as the product's own code wrote it, loaded by those it is for."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas
import pytest
from datasets import Dataset, load_dataset
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer, SFTConfig, SFTTrainer
from trl.data_utils import is_conversational

FORMS = ["native", "trl-sft", "trl-dpo", "trl-kto", "verl", "openai"]
REPOSITORY = Path(__file__).parents[2]
END = "<|im_end|>"


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of each form, and what the export said about each, `reports.json`."""
    folder = tmp_path_factory.mktemp("exports")
    script = REPOSITORY / "test" / "support" / "write-exports.ts"
    done = subprocess.run(
        ["node", "--no-warnings", str(script), str(folder)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    (folder / "reports.json").write_text(done.stdout)
    return folder


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    """A token for each byte, and the ChatML template."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE(vocab={letter: place for place, letter in enumerate(alphabet)}, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    core.decoder = decoders.ByteLevel()
    made = PreTrainedTokenizerFast(tokenizer_object=core, eos_token=END, pad_token="<|pad|>")
    made.add_special_tokens({"additional_special_tokens": ["<|im_start|>"]})
    made.chat_template = (
        "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    return made


@pytest.fixture(scope="module")
def model(tokenizer: PreTrainedTokenizerFast, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a tiny one with random weights."""
    folder = str(tmp_path_factory.mktemp("model"))
    sizes = dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2)
    config = LlamaConfig(vocab_size=len(tokenizer), max_position_embeddings=4096, **sizes)
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def loaded(exports: Path, form: str, cache: Path) -> Dataset:
    """As anyone loads a data set: by its folder, whose card says which file holds it."""
    return load_dataset(str(exports / form), split="train", cache_dir=str(cache))


def settings(folder: Path) -> dict[str, Any]:
    return dict(output_dir=str(folder), use_cpu=True, report_to=[], max_length=None, max_steps=1, save_strategy="no")


def rendered(tokenizer: PreTrainedTokenizerFast, ids: Iterable[int]) -> str:
    return tokenizer.decode(list(ids), clean_up_tokenization_spaces=False)


def text_of(messages: list[dict[str, str]]) -> str:
    (message,) = messages
    assert message["role"] == "assistant"
    return message["content"]


@pytest.mark.parametrize("form", FORMS)
def test_datasets_loads_the_folder(exports: Path, form: str, tmp_path: Path) -> None:
    report = json.loads((exports / "reports.json").read_text())[form]
    examples = loaded(exports, form, tmp_path)
    assert len(examples) == report["examples"] > 0
    file = exports / form / "train.jsonl"
    if file.exists():
        assert examples.to_list() == [json.loads(line) for line in file.read_text().split("\n")[:-1]]


def test_a_long_file_loads_whatever_its_first_lines_hold(exports: Path, tmp_path: Path) -> None:
    """`datasets` guesses columns from the first 10 MB, unless the card declares them."""
    folder = tmp_path / "long"
    folder.mkdir()
    (folder / "README.md").write_text((exports / "native" / "README.md").read_text())
    first = json.loads((exports / "native" / "groups.jsonl").open().readline())
    first |= {"learnability": 1, "startSE": None, "draws": {"start": 1}}
    last = first | {"learnability": 0.5, "startSE": 0.25, "draws": {"goal": 0.5}}
    line = json.dumps(first) + "\n"
    (folder / "groups.jsonl").write_text(line * (11_000_000 // len(line)) + json.dumps(last) + "\n")
    rows = load_dataset(str(folder), split="train", cache_dir=str(tmp_path / "cache"))
    assert [rows[place]["draws"] for place in (0, -1)] == [{"start": 1}, {"goal": 0.5}]
    assert (rows[-1]["learnability"], rows[-1]["startSE"]) == (0.5, 0.25)


def test_sft_trains_on_the_whole_reply_and_nothing_else(
    exports: Path, tokenizer: PreTrainedTokenizerFast, model: str, tmp_path: Path
) -> None:
    examples = loaded(exports, "trl-sft", tmp_path)
    assert is_conversational(examples[0])
    trainer = SFTTrainer(
        model=model, args=SFTConfig(**settings(tmp_path)), train_dataset=examples, processing_class=tokenizer
    )
    for example, row in zip(examples, trainer.train_dataset, strict=True):
        learnt = [label for label in row["labels"] if label != -100]
        assert rendered(tokenizer, learnt) == f"{text_of(example['completion'])}{END}\n"
    trainer.train()


def test_dpo_compares_the_whole_replies(
    exports: Path, tokenizer: PreTrainedTokenizerFast, model: str, tmp_path: Path
) -> None:
    pairs = loaded(exports, "trl-dpo", tmp_path)
    assert is_conversational(pairs[0])
    trainer = DPOTrainer(
        model=model, args=DPOConfig(**settings(tmp_path)), train_dataset=pairs, processing_class=tokenizer
    )
    for pair, row in zip(pairs, trainer.train_dataset, strict=True):
        assert pair["chosenReward"] > pair["rejectedReward"]
        assert pair["prompt"][-1]["content"] in rendered(tokenizer, row["prompt_ids"])
        for side in ("chosen", "rejected"):
            assert rendered(tokenizer, row[f"{side}_ids"]) == f"{text_of(pair[side])}{END}\n"
    trainer.train()


def test_kto_takes_the_labels(exports: Path, tokenizer: PreTrainedTokenizerFast, model: str, tmp_path: Path) -> None:
    examples = loaded(exports, "trl-kto", tmp_path)
    assert is_conversational(examples[0])
    assert set(examples["label"]) == {True, False}
    trainer = KTOTrainer(
        model=model, args=KTOConfig(**settings(tmp_path)), train_dataset=examples, processing_class=tokenizer
    )
    for example, row in zip(examples, trainer.train_dataset, strict=True):
        assert row["label"] == example["label"]
        assert rendered(tokenizer, row["completion_ids"]) == f"{text_of(example['completion'])}{END}\n"
    trainer.train()


def test_verl_reads_the_prompts(exports: Path, tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    """What verl/utils/dataset/rl_dataset.py (RLHFDataset) does with a file, without verl."""
    file = str(exports / "verl" / "train.parquet")
    rows = load_dataset("parquet", data_files=file, split="train", cache_dir=str(tmp_path))
    recorded = {json.loads(line)["id"]: json.loads(line) for line in (exports / "native" / "groups.jsonl").open()}
    for place, row in enumerate(rows):
        group = recorded[row["extra_info"]["group"]]
        assert row["prompt"] == group["prompt"]["messages"]
        text = tokenizer.apply_chat_template(row["prompt"], add_generation_prompt=True, tokenize=False)
        assert text.endswith(f"{row['prompt'][-1]['content']}{END}\n<|im_start|>assistant\n")
        assert row["extra_info"]["index"] == place
        assert row["extra_info"]["startQuality"] == group["startQuality"]
        assert (row["data_source"], row["ability"]) == (f"exit-ml/{group['task']}", group["goal"])
        assert row["reward_model"] == {"style": "rule", "ground_truth": ""}
    frame = pandas.read_parquet(file)
    assert frame["prompt"].map(list).tolist() == rows["prompt"][:]


def test_openai_chats_have_the_documented_shape(exports: Path) -> None:
    """platform.openai.com/docs/guides/supervised-fine-tuning: only `messages`, the last one to be learnt."""
    for line in (exports / "openai" / "train.jsonl").open():
        chat = json.loads(line)
        assert set(chat) == {"messages"}
        assert all(set(message) == {"role", "content"} and message["content"] for message in chat["messages"])
        roles = [message["role"] for message in chat["messages"]]
        assert roles[-1] == "assistant" and "user" in roles[:-1]
        assert set(roles) <= {"system", "user", "assistant"}
