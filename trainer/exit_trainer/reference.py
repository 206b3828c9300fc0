"""The reference policy as a moving average of the adapter over the updates, in place of the model without adapter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn import Parameter


class MovingReference:
    """Begins at the adapter as it is; after each update it keeps the share `decay` of itself."""

    def __init__(self, parameters: Sequence[Parameter], decay: float) -> None:
        self._parameters = parameters
        self._decay = decay
        self.values: list[Tensor] = [parameter.detach().clone() for parameter in parameters]

    def follow(self) -> None:
        with torch.no_grad():
            for value, parameter in zip(self.values, self._parameters, strict=True):
                value.mul_(self._decay).add_(parameter, alpha=1 - self._decay)

    def restore(self, values: Sequence[Tensor]) -> None:
        """Takes up what a checkpoint kept of `values`."""
        for value, kept in zip(self.values, values, strict=True):
            value.copy_(kept)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Inside, the adapter is the average."""
        own = [parameter.data for parameter in self._parameters]
        for parameter, value in zip(self._parameters, self.values, strict=True):
            parameter.data = value
        try:
            yield
        finally:
            for parameter, data in zip(self._parameters, own, strict=True):
                parameter.data = data
