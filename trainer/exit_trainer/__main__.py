"""`python -m exit_trainer VERB`: doctor, estimate, train, merge, verify."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
import warnings

from exit_trainer.attached import end_with_input

# Nothing is fetched: weights and tokenizer come out of the file that was served. Before transformers is imported.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Threads that wait for each other sleep instead of spinning: on two busy cores an update took 4 s so, else 69 s. Before
# torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# A folder that torch makes as soon as it is imported: with the environment, not where temporary files go.
if os.access(sys.prefix, os.W_OK):
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", os.path.join(sys.prefix, "torchinductor"))
# What there is to tell, `report` tells: no bars, no warnings of libraries, and of transformers only errors.
warnings.simplefilter("ignore")
os.environ.setdefault("TQDM_DISABLE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")


def main() -> int:
    # Before the imports, which take some seconds.
    if sys.argv[1:2] == ["--attached"]:
        end_with_input()
    from exit_trainer import doctor, estimate, merge, train, verify
    from exit_trainer.report import Refusal, tell

    parser = argparse.ArgumentParser(prog="exit_trainer", description=__doc__)
    parser.add_argument(
        "--attached", action="store_true", help="end when standard input does: for a program that starts this one"
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    verbs_by_name = {"doctor": doctor, "estimate": estimate, "train": train, "merge": merge, "verify": verify}
    for name, module in verbs_by_name.items():
        verb = verbs.add_parser(name, help=(module.__doc__ or "").splitlines()[0])
        module.add_arguments(verb)
        verb.set_defaults(run=module.run)
    options = parser.parse_args()
    try:
        options.run(options)
    except Refusal as refusal:
        tell("refused", str(refusal), reason=refusal.reason)
        _leave_the_others()
        return 1
    except Exception:
        traceback.print_exc()
        _leave_the_others()
        return 1
    return 0


def _leave_the_others() -> None:
    """Of the processes that torchrun starts, one that fails ends at once, and torchrun ends the rest: by the usual way
    out it would wait for them in NCCL, as they wait for it."""
    if "RANK" in os.environ:
        sys.stderr.flush()
        os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
