"""Where the values stand in a JSON text: the part of a constrained reply that the policy chose (EXIT.md section 5)."""

from __future__ import annotations

import re

_SCALAR = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null')
_KEY_END = re.compile(r"\s*:")


def value_spans(text: str) -> list[tuple[int, int]]:
    """Start and end, in characters, of each scalar value (a string with its quotes), in order.

    Keys, brackets and spaces are what a grammar may force, and are left out. `text` need not be whole: of a cut text
    the values that are whole are found.
    """
    return [
        match.span()
        for match in _SCALAR.finditer(text)
        if not (match.group().startswith('"') and _KEY_END.match(text, match.end()))
    ]


def in_spans(pieces: list[str], spans: list[tuple[int, int]]) -> list[bool]:
    """Does any character of a piece lie in a span? `pieces` join to the text the spans were found in.

    A piece without text (the first bytes of a character whose last bytes follow) counts as the next one with text.
    """
    covered: list[bool] = []
    at = 0
    for piece in pieces:
        end = at + max(len(piece), 1)
        covered.append(any(start < end and at < stop for start, stop in spans))
        at += len(piece)
    return covered
