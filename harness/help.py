"""The page of ``python -m harness.run --help``: examples, and the meaning of the choices and settings that are named.

Everything except the frame is read from ``conf/`` and the classes named there. ``harness.list`` lists what there is.
"""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from harness.choice_files import CONF, default_choices
from harness.conf_files import Choice, Setting, choices_in, settings_in
from harness.errors import unknown
from harness.searchpath import typed

GROUPS = ("benchmark", "optimizer", "llm", "prompt", "decoding", "repair", "probe", "start", "budget", "tracker")
"""Groups in the order of the page; experiments, which choose among all others, are last."""
APART = ("benchmark", "optimizer", "llm", "budget")
"""Groups whose choices have individual settings; settings of other groups are explained once."""
FRAME = """\
usage: python -m harness.run [-m] [group=choice ...] [setting=value ...]

Runs one optimizer on one benchmark; with -m, every combination of the values given. A run is a folder below runs/;
the same command again resumes an incomplete run and skips complete runs.

Examples:
  python -m harness.run benchmark=toy
  python -m harness.run optimizer=smac benchmark.task=kc1 seed=3 budget.proposals=50
  python -m harness.run optimizer=llm_chat decoding=json_schema
  python -m harness.run -m optimizer=random_search,smac benchmark.task=credit_g,kc1 'seed=range(3)'
  python -m harness.run -m experiment=quickstart
  python -m harness.run benchmark=openml optimizer=llambo --help     only the settings of these two
  python -m analysis runs/adhoc                                      tables, figures and a report of these runs

Options:
  -m, --multirun   run every combination of values such as seed=0,1 or 'seed=range(3)'
  dry=true         print what the command will take and run nothing
  --cfg job        print the configuration and run nothing
  -h, --help       print this page; --hydra-help prints Hydra's own options
"""


def page(overrides: Sequence[str] = (), width: int | None = None) -> str:
    """The help page: how to use the command, what the overrides choose, and the names of other choices.

    Raises:
        SettingError: An override names an unknown choice.
    """
    width = width or terminal_width()
    folders = [CONF, *typed(overrides)]
    root = "\n".join(["Settings of every run:", *table(settings_in(CONF / "config.yaml", root=True), width)])
    blocks, others = [FRAME, root], list[str]()
    for group in (*GROUPS, "experiment"):
        names = _wanted(group, overrides)
        if names:
            blocks.append(section(group, folders, width, names))
        else:
            known = [choice.name for choice in choices_in(group, folders)]
            others += entry(f"  {group}=", ", ".join(known), 22, width)
    listed = ["Choices; python -m harness.list says what each is, and its settings: python -m harness.list llm=openai"]
    return "\n\n".join(block.rstrip() for block in [*blocks, "\n".join([*listed, *others])])


def terminal_width() -> int:
    """Number of columns to use."""
    return max(80, min(120, shutil.get_terminal_size((120, 24)).columns))


def section(group: str, folders: Sequence[Path], width: int, names: Collection[str] = ()) -> str:
    """A group's choices with all of their settings.

    Args:
        group: The group.
        folders: The ``conf`` folders.
        width: Number of columns.
        names: Choices to explain; none for all.

    Raises:
        SettingError: There is no such choice.
    """
    choices = choices_in(group, folders)
    known = [choice.name for choice in choices]
    if unlisted := set(names) - set(known):
        raise unknown(group, min(unlisted), known)
    kept = [choice for choice in choices if not names or choice.name in names]
    return "\n".join(_section(group, kept, default_choices().get(group), width)).rstrip()


def _section(group: str, choices: Sequence[Choice], default: str | None, width: int) -> Iterator[str]:
    yield f"{group}=" + (f"  (when not given: {default})" if default else "")
    for choice in choices:
        yield from entry(f"  {choice.name}", choice.about, 22, width)
        if choice.tasks:
            yield from entry("", f"tasks: {', '.join(choice.tasks)}", 22, width)
        if group in APART:
            yield from table(choice.settings, width, f"{group}.", 6)
    if group not in (*APART, "experiment"):
        yield from table(shared_settings(choices, default), width, f"{group}.", 4)


def shared_settings(choices: Sequence[Choice], default: str | None) -> list[Setting]:
    """Each setting of a group once, with its value if all choices, or the default one, share it."""
    found: dict[str, list[tuple[str, Setting]]] = {}
    for choice in choices:
        for setting in choice.settings:
            found.setdefault(setting.name, []).append((choice.name, setting))
    shown = []
    for name, settings in found.items():
        values = {setting.value for _, setting in settings}
        own = next((setting for choice, setting in settings if choice == default or len(values) == 1), None)
        shown.append(own or Setting(name, "...", settings[0][1].comment))
    return shown


def table(settings: Sequence[Setting], width: int, prefix: str = "", indent: int = 2) -> Iterator[str]:
    """Settings with their values and what they mean."""
    for setting in settings:
        yield from entry(f"{' ' * indent}{prefix}{setting.name}={setting.value}", setting.comment, 44, width)


def entry(name: str, text: str, column: int, width: int) -> Iterator[str]:
    """A name and its text, wrapped in a column."""
    lines = textwrap.wrap(text, width - column, break_on_hyphens=False) or [""]
    if len(name) + 2 > column:
        yield name
    else:
        yield f"{name:<{column}}{lines.pop(0)}".rstrip()
    for line in lines:
        if line:
            yield " " * column + line


def _wanted(group: str, overrides: Sequence[str]) -> set[str]:
    """The choices of a group on the command line."""
    given = [text.lstrip("+").partition("=")[2] for text in overrides if text.lstrip("+").startswith(f"{group}=")]
    return {name.strip() for text in given for name in text.split(",") if name.strip() and "(" not in text}
