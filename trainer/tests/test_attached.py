"""Nothing outlives the program that started it."""

from __future__ import annotations

import signal
import subprocess
import sys

WAITS = "import time; print('working', flush=True); time.sleep(1000)"


def attached(code: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "exit_trainer.attached", sys.executable, "-c", code]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)


def test_a_program_and_what_it_started_end_with_the_input() -> None:
    with attached(WAITS) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == b"working\n"
        process.stdin.close()
        # The inner program holds the pipe open as long as it lives.
        assert process.stdout.read() == b""
        assert process.wait() == -signal.SIGKILL


def test_a_program_that_ends_before_hands_on_its_status() -> None:
    with attached("import sys; print('done'); sys.exit(3)") as process:
        assert process.stdout is not None
        assert process.stdout.read() == b"done\n"
        assert process.wait() == 3
