"""The command line: one file per command, each a thin face of the public function of the same name.

A command parses nothing and prints nothing: its signature is its syntax, and it returns an `Answer`. Here it is parsed,
called, printed, and turned into an exit status: 0 done, 1 a mistake that one sentence names, 2 wrong usage,
130 interrupted, 141 nobody reads what is printed.
"""

import errno
import os
import sys
import sysconfig
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from cyclopts import App, CycloptsError, Parameter

from tacit.cli.answer import Answer, Usage, writable, write_json
from tacit.cli.cluster import cluster
from tacit.cli.compare import compare
from tacit.cli.curate import curate
from tacit.cli.demo import demo
from tacit.cli.doctor import doctor
from tacit.cli.embed import embed
from tacit.cli.evaluate import evaluate
from tacit.cli.explore import explore
from tacit.cli.export import export
from tacit.cli.fit import fit
from tacit.cli.inspect import inspect
from tacit.cli.methods import methods
from tacit.cli.predict import predict
from tacit.cli.pretrain import pretrain
from tacit.cli.preview import preview
from tacit.cli.reproduce import reproduce
from tacit.cli.search import search
from tacit.cli.serve import serve
from tacit.cli.table import table
from tacit.errors import TacitError

COMMANDS: tuple[Callable[..., Answer], ...] = (
    demo,
    inspect,
    preview,
    pretrain,
    evaluate,
    compare,
    doctor,
    embed,
    search,
    explore,
    cluster,
    curate,
    fit,
    predict,
    table,
    serve,
    export,
    methods,
    reproduce,
)


def build() -> App:
    """The application: the commands are small, what they call is imported when they call it."""
    app = App(
        name="tacit",
        help="Tacit learns from data that nobody labelled.",
        help_epilogue="Start with `tacit demo`. `tacit COMMAND --help` says more of each.",
        help_format="plaintext",  # Markdown takes a third of the time
        default_parameter=Parameter(negative=()),
        suppress_keyboard_interrupt=False,
    )
    for place, command in enumerate(COMMANDS):
        app.command(command, sort_key=place)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit status; `arguments` default to those of the process."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if "--debug" not in arguments:
        warnings.formatwarning = lambda message, *_: f"warning: {message}\n"  # without the line of code that met it
    sys.exit(run(arguments))


def run(arguments: Sequence[str]) -> int:
    """Run one command: its exit status."""
    debug = "--debug" in arguments
    try:
        status = _answer(list(arguments))
        sys.stdout.flush()
        return status
    except CycloptsError as usage:
        return _say(f"{usage} {_help(arguments)} says what there is.", 2, debug)
    except Usage as usage:
        return _say(str(usage), 2, debug)
    except TacitError as mistake:
        return _say(str(mistake), 1, debug)
    except KeyboardInterrupt:  # a training has saved by now, and said how to go on
        return 130
    except BrokenPipeError:  # `tacit methods | head`: nothing more can be printed, not even by the interpreter as it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as trouble:
        where = f" ({trouble.filename})" if trouble.filename else ""
        return _say(f"{trouble.strerror or trouble}{where}; {_remedy(trouble)}.", 1, debug)
    except Exception as fault:
        what = f"{type(fault).__name__}: {fault}"
        if (own := _own_line(fault)) is not None:
            where = f"line {own.lineno} of {own.filename} ({own.name})"
            return _say(f"{where} led to a {what}; mend it there{'' if debug else ' (--debug shows the way)'}.", 1, debug)
        hint = "" if debug else " Please report it with what --debug shows."
        return _say(f"this is a fault in Tacit, not in what you typed: {what}.{hint}", 1, debug)


def _answer(arguments: list[str]) -> int:
    app = build()
    command, bound, _ = app.parse_args(arguments, print_error=False, exit_on_error=False)
    shared = bound.arguments.get("shared")
    into = shared.json if shared is not None else None
    if into is not None:
        writable(into)
    answer = command(*bound.args, **bound.kwargs)
    if any(os.environ.get(rank, "0") != "0" for rank in ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID")):
        return 0  # one of several processes that train together: the first speaks for all
    if isinstance(answer, Answer):
        try:
            if into is not None:
                write_json(into, answer.facts)
        finally:  # what was found out is said where the disk is full, too
            if answer.text:
                sys.stdout.write(answer.text + "\n")
        if answer.then:
            sys.stdout.flush()
            sys.stderr.write(f"Next: {answer.then}\n")
        return answer.status
    if method := _value(arguments, "--method"):  # help was asked for, of one method
        import tacit

        sys.stdout.write(f"\n{tacit.describe(method)}\n")
    return 0


def _value(arguments: list[str], flag: str) -> str:
    """What follows a flag, or an empty string."""
    for place, argument in enumerate(arguments):
        if argument.startswith(f"{flag}="):
            return argument.partition("=")[2]
        if argument == flag and place + 1 < len(arguments):
            return arguments[place + 1]
    return ""


def _help(arguments: Sequence[str]) -> str:
    """What to type for help with the command that was meant."""
    known = arguments[:1] and arguments[0] in {command.__name__ for command in COMMANDS}
    return f"`tacit {arguments[0]} --help`" if known else "`tacit --help`"


def _own_line(fault: BaseException) -> traceback.FrameSummary | None:
    """The innermost line of a traceback that is of an encoder or a method of the user's own; None where none is."""
    roots = [str(Path(__file__).parents[1]), *map(sysconfig.get_path, ("stdlib", "platstdlib", "purelib", "platlib"))]
    others = ("<", *(f"{root}{os.sep}" for root in roots))
    frames = traceback.extract_tb(fault.__traceback__)
    return next((frame for frame in reversed(frames) if not frame.filename.startswith(others)), None)


def _remedy(trouble: OSError) -> str:
    """What to do where the system refused a file."""
    if trouble.errno in (errno.ENOSPC, errno.EDQUOT):
        return "free some space or write to another place; what was written before is whole"
    return "give a path that can be read, or written, here"


def _say(sentence: str, status: int, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    sys.stderr.write(f"tacit: {sentence}\n")
    return status
