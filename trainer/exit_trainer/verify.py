"""`python -m exit_trainer verify`: is the tuned file the tuned model? Told by log-probabilities of probe texts.

A file whose rows are in the wrong order, or whose update was rounded away, loads and answers like any other. So three
models are asked for the same tokens: the base, the base with the adapter as it was trained, and the tuned file read
back. The file has to agree with the adapter, and the adapter has to have changed something.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import torch

from exit_trainer.device import choose_device, choose_dtype
from exit_trainer.model import Trainee, load
from exit_trainer.report import Refusal, tell

MOST_APART = 0.1
"""Mean |difference| of log-probabilities, in nats, that rounding the tuned tensors may cause."""

LEAST_EFFECT = 1e-3
"""Mean |difference| in nats by which a tuned model differs from its base."""

NEXT = 20
"""Likeliest next tokens told for each probe: as many as Ollama tells."""

_QUESTIONS = [
    ("Write a Python function that returns the mean of a list.", "def mean(values):\n    return sum(values) / len("),
    ("Lower the loss of this model.", "The learning rate is too high, so I lower it and train for more epochs:\n"),
    ("What is the capital of France?", "The capital of France is Paris, a city on the river Seine."),
]
"""Question and the beginning of an answer."""


@dataclass(frozen=True)
class Reading:
    """What one model says of one probe."""

    tokens: list[int]
    logprobs: list[float]
    """Of each token after the first, in nats."""
    next_logprobs: dict[int, float]
    """Of the `NEXT` likeliest tokens after the probe, by id."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", type=Path, required=True, help="GGUF file the adapter was trained on")
    parser.add_argument("--adapter", type=Path, required=True, help="folder of the adapter")
    parser.add_argument("--merged", type=Path, required=True, help="GGUF file of the tuned model")
    parser.add_argument("--probes", type=Path, help="JSON list of texts, as the server gets them (default: three)")
    parser.add_argument("--device", default="auto", help="cuda, mps, cpu, or auto (default): the first there is")
    parser.add_argument("--dtype", default="float32", help="of the weights: bfloat16, float32 (default), or auto")
    parser.add_argument(
        "--most-apart", type=float, default=MOST_APART, help=f"mean difference in nats allowed (default: {MOST_APART})"
    )


def run(options: argparse.Namespace) -> None:
    """
    Raises:
        Refusal: the file is not the tuned model, or could not be compared, in words.
    """
    device = choose_device(options.device)
    dtype = choose_dtype(options.dtype, device)
    tell("loading", f"Reading {options.model.name}: the weights are dequantised (some minutes for a large model).")
    trainee = _loaded(options.model, device, dtype, options.adapter)
    probes = _probes(options.probes, trainee)
    tuned = [read(trainee, probe) for probe in probes]
    with trainee.model.disable_adapter():
        base = [read(trainee, probe) for probe in probes]
    del trainee  # Two models would need twice the memory.
    tell("loading", f"Reading {options.merged.name} back.")
    merged_model = _loaded(options.merged, device, dtype)
    merged = [read(merged_model, probe) for probe in probes]
    for probe, *readings in zip(probes, base, tuned, merged, strict=True):
        _tell_probe(probe, merged_model, *readings)
    judge(mean_apart(base, tuned), mean_apart(tuned, merged), options.most_apart)


def judge(effect: float, apart: float, most_apart: float) -> None:
    """
    Args:
        effect: mean |difference| between base and tuned model, in nats.
        apart: the same between tuned model and tuned file. Allowed up to `most_apart` and up to half the effect: a
            file nearer to its base than to the tuned model has lost what was learned, however small the numbers.

    Raises:
        Refusal: one of them is out of bounds, or no number.
    """
    bound = min(most_apart, effect / 2)
    numbers = {"effect": effect, "apart": apart, "bound": bound}
    if not effect >= LEAST_EFFECT:
        tell(
            "fingerprint", f"The adapter changes log-probabilities by {effect:.2g} nats: nothing.", **numbers, ok=False
        )
        raise Refusal("no-effect", "The tuned model answers as its base does. Train longer or on more groups.")
    if not apart <= bound:
        tell(
            "fingerprint",
            f"The file is {apart:.2g} nats from the tuned model, allowed {bound:.2g}.",
            **numbers,
            ok=False,
        )
        raise Refusal("fingerprint", "The file is not the model that was trained: do not use it. Merge again.")
    tell(
        "fingerprint",
        f"The file is the tuned model: {apart:.2g} nats from it, allowed {bound:.2g}; the base is {effect:.2g} away.",
        **numbers,
        ok=True,
    )


@torch.no_grad()
def read(trainee: Trainee, text: str) -> Reading:
    tokens = trainee.tokenize(text)
    ids = torch.tensor(tokens, device=trainee.model.device)
    logits = trainee.head(trainee.backbone(input_ids=ids[None]).last_hidden_state[0]).float()
    if trainee.softcap is not None:
        logits = trainee.softcap * torch.tanh(logits / trainee.softcap)
    logprobs = torch.log_softmax(logits, dim=-1)
    likeliest = logprobs[-1].topk(NEXT)
    return Reading(
        tokens,
        logprobs[:-1].gather(-1, ids[1:, None]).squeeze(-1).tolist(),
        dict(zip(likeliest.indices.tolist(), likeliest.values.tolist(), strict=True)),
    )


def mean_apart(one: list[Reading], other: list[Reading]) -> float:
    """Mean |difference| of the probes' log-probabilities, in nats."""
    pairs = [
        pair for left, right in zip(one, other, strict=True) for pair in zip(left.logprobs, right.logprobs, strict=True)
    ]
    return sum(abs(left - right) for left, right in pairs) / len(pairs)


def _loaded(file: Path, device: torch.device, dtype: torch.dtype, adapter: Path | None = None) -> Trainee:
    """Without `adapter` a fresh one, which changes nothing."""
    try:
        return load(file, device, dtype, adapter=adapter)
    except (OSError, ValueError) as problem:
        raise Refusal("model", f"{file} cannot be read back: {problem}") from None


def _probes(file: Path | None, trainee: Trainee) -> list[str]:
    if file is None:
        return [_rendered(trainee, question) + answer for question, answer in _QUESTIONS]
    try:
        probes = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise Refusal("probes", f"{file} cannot be read as a JSON list of texts: {problem}") from None
    if not isinstance(probes, list) or not all(isinstance(text, str) for text in probes):
        raise Refusal("probes", f"{file} has to be a JSON list of texts.")
    if not probes or any(len(trainee.tokenize(text)) < 2 for text in probes):
        raise Refusal("probes", f"{file} has to hold texts of two tokens or more.")
    return probes


def _rendered(trainee: Trainee, question: str) -> str:
    if trainee.facts.template is None:
        return f"{question}\n"
    turns = [{"role": "user", "content": question}]
    return str(trainee.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))


def _tell_probe(text: str, trainee: Trainee, base: Reading, tuned: Reading, merged: Reading) -> None:
    """What a server has to answer: log-probabilities of the probe's tokens and of those likeliest to follow."""
    models = {"base": base, "tuned": tuned, "merged": merged}
    tell(
        "probe",
        f"{len(base.tokens)} tokens: base to tuned {mean_apart([base], [tuned]):.2g} nats, "
        f"tuned to file {mean_apart([tuned], [merged]):.2g}.",
        probe=text,
        tokens=base.tokens,
        logprobs={name: reading.logprobs for name, reading in models.items()},
        next={
            name: [
                {"id": token, "text": trainee.tokenizer.decode([token]), "logprob": logprob}
                for token, logprob in reading.next_logprobs.items()
            ]
            for name, reading in models.items()
        },
    )
