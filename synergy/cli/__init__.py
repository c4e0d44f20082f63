"""The command line, from `synergy prove` to `synergy list`; `synergy --help` has all commands.

Exit status: 0 proved, holds, done; 1 refuted or violated; 2 bad input, with one line on standard error;
3 unknown or inconclusive.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor
from pathlib import Path
from types import FrameType
from typing import NoReturn

from synergy.cli import choose, data, images, judge, listing, mend, ranks, sweeps
from synergy.cli.app import app
from theory.errors import shown
from theory.parser import ParseError

__all__ = ["app", "main"]

COMMANDS = (judge, mend, data, ranks, choose, sweeps, listing, images)
"""The modules whose commands have registered themselves on `app`."""

BAD_INPUT = 2
"""The exit status of bad input."""
INTERRUPTED = 130
"""The exit status of Ctrl-C, 128 and the number of the signal."""
TERMINATED = 143
"""As shells report a program that was ended by SIGTERM."""
KILLED = 137
"""As shells report a program that was ended by SIGKILL, here one of its workers."""
BROKEN_PIPE = 141
"""As shells report a program that was ended by SIGPIPE."""
RESUMED = ("verify", "experiment", "generate", "sweep")
"""The commands that keep what is done, and go on from there when started again; `rank` does with --out."""

_KEPT = "what is done is kept, and the same command goes on from there"
"""What is said where it is so."""


class TerminatedError(SystemExit):
    """The process was asked to end by SIGTERM, which is answered as Ctrl-C is: workers and their files go."""


def _end(number: int, frame: FrameType | None) -> NoReturn:
    raise TerminatedError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit; set SYNERGY_TRACEBACK=1 to see where an error comes from."""
    signal.signal(signal.SIGTERM, _end)
    sys.exit(run(sys.argv[1:] if arguments is None else list(arguments)))


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit status."""
    try:
        status = int(app(args=list(arguments) or ["--help"], prog_name="synergy", standalone_mode=False) or 0)
    except KeyboardInterrupt:
        status = INTERRUPTED
    except TerminatedError:
        status = TERMINATED
    except BrokenExecutor:
        kept = f": {_KEPT}" if _keeps(arguments) else ""
        print(
            f"synergy: a worker process was killed, perhaps because memory ran out{kept}; fewer --jobs need "
            "less memory",
            file=sys.stderr,
        )
        return KILLED
    except SystemExit as error:  # the reader of the output went away: not a verdict
        if isinstance(error.__context__, BrokenPipeError):
            return BROKEN_PIPE
        raise
    except Exception as error:
        message = _message(error)
        if message is None or os.environ.get("SYNERGY_TRACEBACK"):
            raise
        print(f"synergy: {message}", file=sys.stderr)
        return BAD_INPUT
    if status in (INTERRUPTED, TERMINATED):
        print(f"synergy: interrupted{f'; {_KEPT}' if _keeps(arguments) else ''}", file=sys.stderr)
    return status


def _keeps(arguments: Sequence[str]) -> bool:
    """Whether the command keeps what is done; of `rank`, whether its folder holds any run."""
    command = next(iter(arguments), "")
    if command != "rank":
        return command in RESUMED
    split = [part for argument in arguments for part in argument.split("=", 1 if argument[:2] == "--" else 0)]
    out = split[split.index("--out") + 1 :] if "--out" in split else []
    return any(Path(out[0], "runs").glob("*.npz")) if out else False


def _message(error: Exception) -> str | None:
    """One line for an error of the user's; None for one of ours."""
    if isinstance(error, ParseError):
        return f"cannot parse {shown(error.text)} at position {error.position}: {error.reason}"
    usage = getattr(error, "format_message", None)
    if usage is not None:
        return _told(error, " ".join(str(usage()).split()))
    if isinstance(error, MemoryError):
        return f"this does not fit into memory: {error}".rstrip(": ")
    if isinstance(error, (ValueError, TypeError, OSError, OverflowError)):
        return " ".join(str(error).split())
    return None


_EXPECTED = {"int_parsing": "an integer", "float_parsing": "a number", "int_from_float": "an integer"}
"""What each kind of error of an option expected."""


def _told(error: Exception, usage: str) -> str:
    """What is wrong with the value of an option: what was expected, and the value itself.

    The reader of the options keeps the value only in the error that it wraps.
    """
    details = getattr(error.__cause__ or error.__context__, "errors", None)
    option = getattr(getattr(error, "param", None), "opts", None)
    if details is None or not option:
        return usage
    first = details()[0]
    expected = _EXPECTED.get(first["type"])
    if expected is not None:
        return f"{option[0]} must be {expected}, got {first['input']!r}"
    text = repr(first["input"])
    return usage if text in usage else f"{usage.rstrip('.')}, got {text}"
