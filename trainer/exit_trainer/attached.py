"""A program that does not outlive the one that started it: it ends when its standard input does.

The system closes a pipe when its other end dies, also by kill -9. `python -m exit_trainer --attached VERB` ends so by
itself; `python -m exit_trainer.attached PROGRAM ...` runs another program under the same rule.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading


def end_with_input() -> None:
    """From here on the end of standard input ends this process at once, and all it started where it leads their
    process group. A training that is killed goes on later."""
    threading.Thread(target=_wait, daemon=True).start()


def _wait() -> None:
    # Not sys.stdin: a thread that waits in it keeps the interpreter from ending.
    while os.read(0, 4096):
        pass
    if os.name == "posix" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


if __name__ == "__main__":
    end_with_input()
    status = subprocess.call(sys.argv[1:], stdin=subprocess.DEVNULL)
    sys.exit(status if status >= 0 else 128 - status)
