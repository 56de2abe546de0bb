"""What there is: benchmarks with their tasks, optimizers, models, experiments, launchers; one line each.

python -m harness.list
python -m harness.list benchmark                              a group with all of its settings
python -m harness.list optimizer=smac benchmark=openml        choices with their settings
python -m harness.list optimizer 'hydra.searchpath=[DIR]'     with plug-ins from outside

Lines are shortened; --all prints every group with all of its settings.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.arguments import Parser
from harness.choice_files import CONF, default_choices
from harness.conf_files import choices_in, settings_in
from harness.console import tell
from harness.errors import SettingError, unknown
from harness.explain import explained
from harness.help import APART, GROUPS, entry, section, shared_settings, table, terminal_width
from harness.searchpath import typed

EXPERIMENT, LAUNCHER, SEARCH_PATH = "experiment", "hydra/launcher", "hydra.searchpath"
LAUNCHERS = {
    "workers": ("harness", "worker processes of this command that stay"),
    "basic": ("hydra", "one job after the other, in this process"),
    "joblib": ("hydra_plugins.hydra_joblib_launcher", "one process per job on this machine"),
    "submitit_slurm": ("submitit", "an array of workers on a Slurm cluster"),
    "submitit_local": ("submitit", "the same array on this machine, to try it"),
    "ray": ("ray", "workers on a Ray cluster, or with Ray on this machine"),
}
"""Launcher -> the package that has it, and where it runs jobs."""
TASKS_SHOWN = 8


def main() -> None:
    """The command."""
    parser = Parser.of_module("harness.list", __doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="a group, a choice (group=choice), a searchpath")
    parser.add_argument("--all", action="store_true", help="every group with all of its settings")
    options = parser.parse_args()
    with explained(sys.argv[1:]):
        tell(listing(options.names, options.all))


def listing(names: Sequence[str] = (), whole: bool = False, width: int | None = None) -> str:
    """The list.

    Args:
        names: Groups and choices to explain, as on the command line; none for one line per choice of every group.
        whole: Whether all groups are explained.
        width: Number of columns; None for those of the terminal.

    Raises:
        SettingError: There is no such group or choice.
    """
    width = width or terminal_width()
    folders = [CONF, *typed(names)]
    given = [name for name in names if not name.startswith(f"{SEARCH_PATH}=")]
    wanted = [_wanted(name, folders) for name in given] or [(group, ()) for group in (*GROUPS, EXPERIMENT) if whole]
    if wanted:
        return "\n\n".join(section(group, folders, width, choices) for group, choices in wanted)
    every = [_group(group, folders, width) for group in (*GROUPS, EXPERIMENT)]
    root = ["Settings of every run:", *table(settings_in(CONF / "config.yaml", root=True), width)]
    more = "With settings and whole sentences: python -m harness.list NAME, such as optimizer=smac, or benchmark"
    return "\n\n".join("\n".join(block) for block in [*every, list(_launchers()), root, [more]])


def _wanted(name: str, folders: Sequence[Path]) -> tuple[str, tuple[str, ...]]:
    """The group and the choices that a name means."""
    group, equals, choices = name.lstrip("+").partition("=")
    groups = (*GROUPS, EXPERIMENT)
    if group in groups:
        return group, tuple(each.strip() for each in choices.split(",") if each.strip())
    if equals:
        raise unknown("group", group, groups)
    if len(found := [each for each in groups if any(path.stem == name for path in _files(each, folders))]) == 1:
        return found[0], (name,)
    if found:
        means = " or ".join(f"{each}={name}" for each in found)
        raise SettingError(f"{name} is a choice of several groups; give {means}.")
    raise unknown("group or choice", name, [*groups, *(path.stem for each in groups for path in _files(each, folders))])


def _files(group: str, folders: Sequence[Path]) -> list[Path]:
    return [path for folder in folders for path in (folder / group).glob("*.yaml")]


def _group(group: str, folders: Sequence[Path], width: int) -> Iterator[str]:
    """One line per choice, and the names of the group's settings."""
    choices, default = choices_in(group, folders), default_choices().get(group)
    yield f"{group}=" + (f"  (when not given: {default})" if default else "")
    column = 2 + max((len(choice.name) for choice in choices), default=0) + 2
    for choice in choices:
        yield _short(f"{f'  {choice.name}':<{column}}{choice.about.partition('. ')[0].rstrip('.')}", width)
        if choice.tasks:
            more = f" and {len(choice.tasks) - TASKS_SHOWN} more" if len(choice.tasks) > TASKS_SHOWN else ""
            yield from entry("", f"tasks: {', '.join(choice.tasks[:TASKS_SHOWN])}{more}", column, width)
    if group not in (*APART, EXPERIMENT) and (settings := shared_settings(choices, default)):
        yield from entry("", f"settings: {', '.join(f'{group}.{each.name}' for each in settings)}", 2, width)


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3].rstrip()}..."


def _launchers() -> Iterator[str]:
    yield f"{LAUNCHER}=  (when not given: {default_choices().get(f'override {LAUNCHER}')})"
    for name, (package, about) in LAUNCHERS.items():
        missing = "" if _is_installed(package) else "; not installed: pip install -e '.[launchers]'"
        yield f"  {name:<16}{about}{missing}"


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:
        return False


if __name__ == "__main__":
    main()
