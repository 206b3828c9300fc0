"""A group's prompt is computed once and shared by its completions, with the gradients that separate rows would give.

The prompt but its last token is forwarded alone and its keys and values are kept (phase A). Each completion row then
begins with the prompt's last token and reads those keys and values (phase B); its backward pass leaves their gradients
behind, which are summed over the rows. At the end they are sent through the prompt's graph (phase C). That is

    P - 1 + sum(C_i)  tokens instead of  sum(P + C_i),

needs no attention mask of its own, and runs wherever the model runs. The idea of reusing a prefix by schedule rather
than by kernel: arXiv 2606.01143; that it is exact is what tests/test_prefix.py is about.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from transformers import Cache, PreTrainedModel
from transformers.cache_utils import CacheLayerMixin

KeyValues = list[tuple[Tensor, Tensor]]
"""Keys and values of each layer, each (1, kv_heads, P - 1, head_dim)."""

SUPPORTED = ("llama", "qwen2", "qwen3", "gemma3_text")
"""Architectures (`config.model_type`) whose sharing the tests prove exact."""


class _Layer(CacheLayerMixin):
    """What both kinds of layer have in common: they never append, so a layer that is computed again (gradient
    checkpointing does that in the backward pass) sees the same as the first time."""

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        self.is_initialized = True

    def get_max_length(self) -> int:
        return -1


class _Recording(_Layer):
    """Hands on what it is given and remembers the first of it, until that is taken."""

    first: tuple[Tensor, Tensor] | None = None
    taken: bool = False

    def update(self, key_states: Tensor, value_states: Tensor, *_: object, **__: object) -> tuple[Tensor, Tensor]:
        if self.first is None and not self.taken:
            self.first = key_states, value_states
        return key_states, value_states

    def take(self) -> tuple[Tensor, Tensor] | None:
        """What it remembered. Gradient checkpointing keeps this layer in the graph of those very values: a layer that
        went on remembering them would keep the whole graph for ever when an error leaves it unused."""
        first, self.first, self.taken = self.first, None, True
        return first

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return query_length, 0

    def get_seq_length(self) -> int:
        return 0


class _Prefixed(_Layer):
    """Puts the prompt's keys and values before those of each row."""

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        super().__init__()
        self.prompt = keys, values

    def update(self, key_states: Tensor, value_states: Tensor, *_: object, **__: object) -> tuple[Tensor, Tensor]:
        rows = key_states.shape[0]
        keys, values = (part.expand(rows, -1, -1, -1) for part in self.prompt)
        return torch.cat([keys, key_states], dim=-2), torch.cat([values, value_states], dim=-2)

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.get_seq_length() + query_length, 0

    def get_seq_length(self) -> int:
        return self.prompt[0].shape[-2]


@dataclass
class Forwarded:
    """Counts the positions that go through the layers, to prove that sharing is on."""

    tokens: int = 0


class SharedPrefix:
    """The keys and values of one prompt, for the completions of its group.

    Use it as a context manager, ask for `hidden` of rows, call `backward` on what comes of it, and leave the context:
    the gradients of the prompt are sent through its graph then (nothing is sent after an error).

    Args:
        backbone: the model without its head, in `eval` mode or with every dropout 0.
        prompt: token ids, at least one.
    """

    def __init__(self, backbone: PreTrainedModel, prompt: Sequence[int], forwarded: Forwarded) -> None:
        if not prompt:
            raise ValueError("A prompt has at least one token.")
        self._backbone = backbone
        self._last = prompt[-1]
        self._length = len(prompt)
        self._forwarded = forwarded
        self._graph: KeyValues = []
        self._leaves: KeyValues = []
        if len(prompt) > 1:
            layers = [_Recording() for _ in range(backbone.config.num_hidden_layers)]
            try:
                _run(backbone, [list(prompt[:-1])], 0, Cache(layers=[*layers]), forwarded)
            finally:
                self._graph = [first for layer in layers if (first := layer.take()) is not None]
            needs_grad = torch.is_grad_enabled()
            self._leaves = [
                (keys.detach().requires_grad_(needs_grad), values.detach().requires_grad_(needs_grad))
                for keys, values in self._graph
            ]

    def __enter__(self) -> SharedPrefix:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if error is None and torch.is_grad_enabled():
            self._send_back()
        self._graph, self._leaves = [], []

    def hidden(self, completions: Sequence[Sequence[int]]) -> list[Tensor]:
        """Last hidden states at the positions that predict each token of each completion, (length, hidden) each.

        Rows are padded on the right to the longest of them, where causal attention cannot see the padding.
        """
        rows = [[self._last, *completion[:-1]] for completion in completions]
        longest = max(len(row) for row in rows)
        padded = [row + [self._last] * (longest - len(row)) for row in rows]
        cache = Cache(layers=[_Prefixed(*pair) for pair in self._leaves]) if self._leaves else None
        states = _run(self._backbone, padded, self._length - 1, cache, self._forwarded)
        return [state[: len(row)] for state, row in zip(states, rows, strict=True)]

    def _send_back(self) -> None:
        outputs, gradients = [], []
        for graph, leaves in zip(self._graph, self._leaves, strict=True):
            for output, leaf in zip(graph, leaves, strict=True):
                # A frozen layer before the first adapter has keys that no gradient can pass.
                if output.requires_grad and leaf.grad is not None:
                    outputs.append(output)
                    gradients.append(leaf.grad)
        if outputs:
            torch.autograd.backward(outputs, gradients)


def _run(
    backbone: PreTrainedModel, rows: list[list[int]], first: int, cache: Cache | None, forwarded: Forwarded
) -> Tensor:
    """Last hidden states (rows, length, hidden) of rows that begin at position `first`."""
    device = backbone.device
    ids = torch.tensor(rows, device=device)
    positions = torch.arange(first, first + ids.shape[1], device=device).expand(ids.shape[0], -1)
    forwarded.tokens += ids.numel()
    # The one place that names the cache argument: it was called past_key_values before transformers 5.24.
    return backbone(input_ids=ids, position_ids=positions, cache=cache, use_cache=False).last_hidden_state


_KEEPS_CACHE = "_can_checkpoint_with_cache"


@contextmanager
def checkpointed(backbone: PreTrainedModel) -> Iterator[None]:
    """Gradient checkpointing that keeps the caches above: by default a checkpointed layer loses its cache, with a
    warning only, and completions would not see their prompt."""
    layers = list(cast(nn.ModuleList, backbone.layers))
    backbone.activation_checkpointing_enable({"use_reentrant": False})
    mode = backbone.training
    backbone.train()  # layers checkpoint in training mode only; `refuse_unsupported` made sure nothing drops out
    for layer in layers:
        setattr(layer, _KEEPS_CACHE, True)
    try:
        yield
    finally:
        for layer in layers:
            delattr(layer, _KEEPS_CACHE)
        backbone.activation_checkpointing_disable()
        backbone.train(mode)


def refuse_unsupported(model: nn.Module, config: object) -> None:
    """
    Raises:
        ValueError: sharing the prompt would not be exact, or has not been shown to be; says why.
    """
    kind = getattr(config, "model_type", "unknown")
    if kind not in SUPPORTED:
        raise ValueError(f"Sharing a prompt is not proven exact for {kind} models (proven: {', '.join(SUPPORTED)}).")
    drops = any(module.p > 0 for module in model.modules() if isinstance(module, nn.Dropout))
    if drops or getattr(config, "attention_dropout", False):
        raise ValueError("Dropout would give the shared prompt one mask instead of one a completion: set it to 0.")
