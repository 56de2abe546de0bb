"""Prepare a local model before its first use: ``python -m llms.prepare NAME``. Without a name, list the models."""

from __future__ import annotations

import sys
import time

from harness.arguments import Parser
from harness.errors import HyperboleError, unknown
from llms.local.catalogue import BY_NAME, MODELS, LocalModel
from llms.local.local_model import model_folder, prepared, room_for
from llms.serve import GROUP, model_of
from llms.server.processor import choose_dtype, this_processor

SLOWER_WITHOUT_BFLOAT16 = 2.5
"""How much slower float32 is without instructions for bfloat16: a rough estimate; ``python -m tests.bench_server``."""


def find(name: str) -> LocalModel:
    """The model with a catalogue name, or the one that a choice of ``llm=`` serves.

    Raises:
        SettingError: There is no such model.
    """
    named = BY_NAME.get(name) or BY_NAME.get(str(model_of(name)))
    if named is None:
        raise unknown("local model", name, BY_NAME)
    return named


def chosen(llm: str) -> LocalModel | None:
    """The catalogue model that a choice of ``llm=`` serves; None if it serves no catalogue model.

    Raises:
        SettingError: There is no such choice. The run would report it only after the set-up.
    """
    choices = [path.stem for path in GROUP.glob("*.yaml")]
    if llm not in choices:
        raise unknown("llm", llm, choices)
    return BY_NAME.get(str(model_of(llm)))


def listed() -> str:
    """One line per model."""
    lines = []
    for model in MODELS:
        state = "prepared" if model_folder(model).exists() else "not prepared"
        size = f"{model.parameters / 1e6:,.0f} M parameters, file {model.file_bytes / 1e6:,.0f} MB"
        lines.append(f"{model.name}: {size}, {model.licence}, {state}\n    {model.source}")
    return "\n".join(lines)


def how_long(model: LocalModel) -> str:
    """Estimate of the quickstart's duration with a model on this machine, as a sentence."""
    dtype, why = choose_dtype(this_processor())
    minutes = model.minutes * (1 if dtype == "bfloat16" else SLOWER_WITHOUT_BFLOAT16)
    fetched = "" if model_folder(model).exists() else f", {model.file_bytes / 1e6:,.0f} MB of download included"
    return (
        f"The quickstart with {model.title} takes about {minutes:.0f} minutes on two idle cores ({dtype}: "
        f"{why}){fetched}."
    )


def prepare(model: LocalModel) -> None:
    """Prepare a model; print the space it needs and the time it took."""
    folder = model_folder(model)
    if folder.exists():
        print(f"{model.name} is ready: {folder}")
        return
    print(f"{model.name}: {room_for(model, folder.parent).sentence()}.", flush=True)
    clock = time.monotonic()
    prepared(model)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    minutes = (time.monotonic() - clock) / 60
    print(f"{model.name} is ready after {minutes:.1f} minutes: {folder} ({size / 1e9:.2f} GB).")


def main() -> int:
    """The command line; exit code 2 and one sentence when a model cannot be had."""
    parser = Parser(prog="python -m llms.prepare", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="a catalogue name or a choice of llm=")
    parser.add_argument("--how-long", metavar="LLM", help="estimate how long the quickstart takes with it")
    arguments = parser.parse_args()
    names = arguments.names
    try:
        if arguments.how_long is not None:
            models = [chosen(llm) for llm in arguments.how_long.split(",")]  # a sweep may name several
            for model in filter(None, models):  # the speed of other servers is unknown
                print(how_long(model), flush=True)
            return 0
        if not names:
            print(listed())
        for model in [find(name) for name in names]:
            prepare(model)
    except HyperboleError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted; unfinished files were removed. The same command starts again.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
