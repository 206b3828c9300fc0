"""A real Ollama server for a test: with a port, models and a home of its own."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Ollama:
    host: str

    def ask(self, path: str, body: bytes | dict[str, Any]) -> bytes:
        data = body if isinstance(body, bytes) else json.dumps({**body, "stream": False}).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{self.host}{path}", data), timeout=120) as answer:
            return bytes(answer.read())

    def create(self, model: Path, adapter: Path | None = None) -> str:
        """
        Returns:
            Name of a model of this file or, with `adapter`, of that over a model of this file that is there already.
        """
        if adapter is None:
            self.ask("/api/create", {"model": model.stem, "files": self._put(model)})
            return model.stem
        self.ask("/api/create", {"model": adapter.stem, "from": model.stem, "adapters": self._put(adapter)})
        return adapter.stem

    def next_tokens(self, model: str, prompt: str) -> dict[str, float]:
        """Log-probability of the 20 likeliest tokens after this very text, by their text."""
        request = {
            "model": model,
            "prompt": prompt,
            "raw": True,
            "logprobs": True,
            "top_logprobs": 20,
            "options": {"num_predict": 1, "num_ctx": 64, "temperature": 0, "num_thread": 1},
        }
        answer = json.loads(self.ask("/api/generate", request))
        return {token["token"]: token["logprob"] for token in answer["logprobs"][0]["top_logprobs"]}

    def _put(self, file: Path) -> dict[str, str]:
        digest = f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"
        self.ask(f"/api/blobs/{digest}", file.read_bytes())
        return {file.name: digest}


@contextlib.contextmanager
def serving(binary: Path, home: Path) -> Iterator[Ollama]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    home.mkdir()
    own = {"OLLAMA_HOST": address, "OLLAMA_MODELS": str(home / "models"), "HOME": str(home)}
    with (home / "log").open("wb") as log:
        server = subprocess.Popen([binary, "serve"], env={**os.environ, **own}, stdout=log, stderr=log)
        try:
            _wait(address, server)
            yield Ollama(f"http://{address}")
        finally:
            server.terminate()
            server.wait(30)


def _wait(address: str, server: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends and server.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://{address}/api/version", timeout=5):
            return
        time.sleep(0.1)
    raise AssertionError("Ollama did not start.")
