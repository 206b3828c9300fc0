"""`python -m exit_trainer verify`: is the tuned file the tuned model? Told by log-probabilities of probe texts.

A file whose rows are in the wrong order, or whose update was rounded away, loads and answers like any other. So three
models are asked for the same tokens: the base, the base with the adapter as it was trained, and the tuned file read
back. The file has to agree with the adapter, and the adapter has to have changed something. With `--served` the same is
asked of what a server sampled: is it the tuned model that answers there?
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import torch

from exit_trainer.device import choose_device, choose_dtype, free_cache, is_out_of_memory
from exit_trainer.groups import Group
from exit_trainer.model import Trainee, load
from exit_trainer.report import Refusal, tell
from exit_trainer.served import Scores, Served, compare, read_served, score, scores_apart

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
    parser.add_argument("--merged", type=Path, help="GGUF file of the tuned model; none where an adapter is served")
    parser.add_argument("--probes", type=Path, help="JSON list of texts, as the server gets them (default: three)")
    parser.add_argument(
        "--served",
        type=Path,
        help="JSON list of {prompt, text, tokens, logprobs}: what the server sampled from the tuned model",
    )
    parser.add_argument("--device", default="auto", help="cuda, mps, cpu, or auto (default): the first there is")
    parser.add_argument(
        "--dtype",
        default="auto",
        help="of the weights: bfloat16, float32, or auto (default): float32, on CUDA as far as it fits",
    )
    parser.add_argument(
        "--most-apart", type=float, default=MOST_APART, help=f"mean difference in nats allowed (default: {MOST_APART})"
    )


def run(options: argparse.Namespace) -> None:
    """
    Raises:
        Refusal: the file is not the tuned model, or could not be compared, in words.
    """
    found: Found | None = None
    ways = _ways(options)
    for place, (device, dtype) in enumerate(ways):
        if device.type == "cpu":
            choose_device("cpu")  # what attention does differs between devices
        tell("device", f"Comparing on {device} with weights in {dtype}.", device=str(device), dtype=str(dtype))
        newest = _fitting(options, device, dtype)
        found = newest or found
        if newest is None:
            why = f"The model does not fit the memory of {device} in {dtype}"
        elif dtype != torch.float32 and newest.is_other_file(options.most_apart):
            # In bfloat16 the file rounds weights and update together, the tuned model rounds them apart.
            why = f"In {dtype} the file seems to be another model"
        else:
            break
        free_cache()
        if place + 1 < len(ways):
            tell("memory", f"{why}: comparing on {ways[place + 1][0]} with weights in {ways[place + 1][1]}.")
    if found is None:
        raise Refusal(
            "out-of-memory",
            f"The model does not fit the memory of {device}. End what else uses it, or compare with "
            + ("--dtype bfloat16." if device.type == "cpu" else "--device cpu."),
        )
    judge(found.effect, found.file, options.most_apart, found.served)


@dataclass(frozen=True)
class Found:
    """What there is to judge: see `judge`."""

    effect: float
    file: float | None
    served: Served | None

    def is_other_file(self, most_apart: float) -> bool:
        return self.file is not None and not self.file <= allowed(self.effect, most_apart)


def _ways(options: argparse.Namespace) -> list[tuple[torch.device, torch.dtype]]:
    """Where and in what precision to compare, the best first; last the CPU, which is slow and has much memory."""
    device = choose_device(options.device)
    if options.dtype == "auto":
        ways = [(device, torch.float32)]
        if device.type == "cuda" and choose_dtype("auto", device) != torch.float32:
            ways.append((device, torch.bfloat16))
    else:
        ways = [(device, choose_dtype(options.dtype, device))]
    if options.device == "auto" and device.type != "cpu":
        ways.append((torch.device("cpu"), torch.float32))
    return ways


def _fitting(options: argparse.Namespace, device: torch.device, dtype: torch.dtype) -> Found | None:
    """None where the memory of the device does not suffice."""
    try:
        return _compared(options, device, dtype)
    except (MemoryError, RuntimeError) as problem:
        if not is_out_of_memory(problem):
            raise
        return None


def _compared(options: argparse.Namespace, device: torch.device, dtype: torch.dtype) -> Found:
    tell("loading", f"Reading {options.model.name}: the weights are dequantised (some minutes for a large model).")
    trainee = _loaded(options.model, device, dtype, options.adapter)
    probes = _probes(options.probes, trainee)
    groups = [] if options.served is None else _sampled(options.served, trainee)
    if options.merged is None and not groups:
        raise Refusal("probes", "There is nothing to compare: name the tuned file with --merged, or --served, or both.")
    tuned = _model(trainee, probes, groups)
    with trainee.model.disable_adapter():
        base = _model(trainee, probes, groups)
    del trainee  # Two models would need twice the memory.
    effect, file = mean_apart(base.readings, tuned.readings), None
    if options.merged is not None:
        merged = _read_back(options.merged, device, dtype, probes, groups, base, tuned)
        file = mean_apart(tuned.readings, merged.readings)
    if not groups:
        return Found(effect, file, None)
    served = compare(groups, tuned.sampled, base.sampled)
    # What was learned may show in the replies to its tasks and hardly in the probes, or in the probes alone.
    if served.effect > effect:
        effect = served.effect
        file = None if options.merged is None else scores_apart(tuned.sampled, merged.sampled)
    return Found(effect, file, served)


@dataclass(frozen=True)
class Model:
    """What one model says of all there is to ask."""

    readings: list[Reading]
    sampled: Scores
    """Of what the server sampled."""


def _model(trainee: Trainee, probes: list[str], groups: list[Group]) -> Model:
    return Model([read(trainee, probe) for probe in probes], score(trainee, groups))


def _read_back(
    file: Path,
    device: torch.device,
    dtype: torch.dtype,
    probes: list[str],
    groups: list[Group],
    base: Model,
    tuned: Model,
) -> Model:
    tell("loading", f"Reading {file.name} back.")
    trainee = _loaded(file, device, dtype)
    merged = _model(trainee, probes, groups)
    for probe, *readings in zip(probes, base.readings, tuned.readings, merged.readings, strict=True):
        _tell_probe(probe, trainee, *readings)
    return merged


def allowed(effect: float, most_apart: float) -> float:
    """Nats by which a file may differ from the tuned model that is `effect` from its base: see `judge`."""
    return min(most_apart, effect / 2)


def judge(effect: float, file: float | None, most_apart: float, served: Served | None = None) -> None:
    """
    Args:
        effect: mean |difference| between base and tuned model, in nats.
        file: the same between tuned model and tuned file, on the same tokens. Allowed up to `most_apart` and up to half
            the effect: a file nearer to its base than to the tuned model has lost what was learned, however small the
            numbers. None: there is no such file.
        served: what the server answered, against both. It has to be as near to the tuned model, and nearer than to the
            base. Where its noise hides which one it is, a file that is the tuned model has to do, and that is said.

    Raises:
        Refusal: one of them is out of bounds, or no number.
    """
    bound = allowed(effect, most_apart)
    numbers = {"effect": effect, "file": file, "bound": bound}
    if served is not None:
        numbers |= {"served": served.apart, "servedFromBase": served.from_base, "servedEffect": served.effect}
    proven = served is None or served.certain
    if not effect >= LEAST_EFFECT:
        sentence = f"The adapter changes log-probabilities by {effect:.2g} nats: nothing."
        refusal = Refusal("no-effect", "The tuned model answers as its base does. Train longer or on more groups.")
    elif file is not None and not file <= bound:
        sentence = f"The file is {file:.2g} nats from the tuned model, allowed {bound:.2g}."
        refusal = Refusal("fingerprint", "The file is not the model that was trained: do not use it. Merge again.")
    elif served is not None and not _is_tuned(served, most_apart, excused=not proven and file is not None):
        sentence = (
            f"The server is {served.apart:.2g} nats from the tuned model, allowed {most_apart:.2g}, and "
            f"{served.from_base:.2g} from the base."
        )
        refusal = Refusal("fingerprint", f"{sentence} {_what_answers(served, most_apart)}")
    else:
        told = [f"The tuned model is {effect:.2g} nats from its base."]
        if file is not None:
            told.append(f"The file is the tuned model: {file:.2g} nats from it, allowed {bound:.2g}.")
        if served is not None:
            told.append(_what_is_proven(served, proven))
        tell("fingerprint", " ".join(told), **numbers, proven=proven, ok=True)
        return
    tell("fingerprint", sentence, **numbers, proven=False, ok=False)
    raise refusal


def _is_tuned(served: Served, most_apart: float, excused: bool) -> bool:
    return served.apart <= most_apart and (served.apart < served.from_base or excused)


def _what_is_proven(served: Served, proven: bool) -> str:
    if proven:
        return f"So is what the server answers with: {served.apart:.2g} nats; {served.from_base:.2g} from the base."
    return (
        f"That the server answers with it is not proven: on these replies the tuned model is {served.effect:.2g} nats "
        f"from the base, and the server {served.apart:.2g} from the one and {served.from_base:.2g} from the other."
    )


def _what_answers(served: Served, most_apart: float) -> str:
    if served.from_base <= min(served.apart, most_apart):
        return "It seems to answer with the base: install the tuned model again, and ask for it by its own name."
    return (
        "It answers with neither: another file, another template or other sampling options. Install the tuned model "
        "again, and ask it at temperature 1 without any other option."
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


def _sampled(file: Path, trainee: Trainee) -> list[Group]:
    groups, dropped = read_served(file, trainee)
    kept = sum(len(group.replies) for group in groups)
    left_out = ", ".join(f"{count} {reason}" for reason, count in dropped.items()) or "none"
    tell("served", f"Scoring {kept} replies of the server; left out: {left_out}.", kept=kept, dropped=dict(dropped))
    return groups


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
