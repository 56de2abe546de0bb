"""MkDocs hook: fills the marks of the pages with what conf/, docstrings and code say, so that nothing is typed twice.

A mark is a line ``<!-- generated: WRITER ARGUMENT ... -->``; the writers are below. Links to ``../results/`` work on
the site and in the repository alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from docs.docstrings import prose
from harness.choice_files import CONF, default_choices
from harness.conf_files import DOCUMENTED, Choice, Setting, choices_in, docstrings, settings_in
from harness.help import APART, GROUPS, shared_settings

ROOT = CONF.parent
MARK = re.compile(r"^<!-- generated: (\w+)((?: \S+)*) -->$", re.MULTILINE)
FENCE = re.compile(r"^(`{3,})(\w+) (\S.*)$", re.MULTILINE)
"""A fence with a word after its language: the name of a file, or a flag for the page's test."""

DESCRIBED = {"benchmark": "benchmarks", "optimizer": "methods", "llm": "models", "experiment": "experiments"}
"""Group -> page that describes its choices, where it is not the page of settings."""


def filled(text: str) -> str:
    """A page with its marks replaced by what they stand for.

    Raises:
        KeyError: There is no such writer.
    """
    return MARK.sub(lambda mark: WRITERS[mark[1]](*mark[2].split()), text)


def choices(group: str) -> str:
    """Table of a group's choices: what each is, and where they share settings, how it differs from the default."""
    found, default = choices_in(group, [CONF]), default_choices().get(group)
    usual = next((_values(choice) for choice in found if choice.name == default and group not in APART), {})
    rows = []
    for choice in found:
        name = f"`{choice.name}`" + (" (default)" if choice.name == default else "")
        differing = [f"`{key}: {value}`" for key, value in _values(choice).items() if usual and value != usual.get(key)]
        rows.append((name, _text(choice.about), ", ".join(differing)))
    if not any(row[2] for row in rows):
        return _table((f"`{group}=`", "what it is"), [row[:2] for row in rows])
    return _table((f"`{group}=`", "what it is", "sets"), rows)


def overview(folder: str) -> str:
    """Table of every group's choices, with the page, in this folder, that describes them."""
    rows = []
    for group in (*GROUPS, "experiment"):
        default, title = default_choices().get(group), DESCRIBED.get(group, "settings")
        names = sorted((choice.name for choice in choices_in(group, [CONF])), key=lambda name: name != default)
        rows.append((f"`{group}=`", ", ".join(f"`{name}`" for name in names), f"[{title}]({folder}{title}.md)"))
    return _table(("choose", "choices (default first)", "read"), rows)


def settings(group: str) -> str:
    """Table of a group's settings, each once, with the default choice's value; of the root where no group is given."""
    if group == "root":
        return _settings(settings_in(CONF / "config.yaml", root=True), "")
    return _settings(shared_settings(choices_in(group, [CONF]), default_choices().get(group)), f"{group}.")


def each(group: str) -> str:
    """A section per choice: its docstrings, its tasks and its settings."""
    return "\n\n".join("\n\n".join(_section(group, choice)) for choice in choices_in(group, [CONF]))


def experiments() -> str:
    """A section per experiment: what it asks, what it sets and what it sweeps."""
    blocks = []
    for choice in choices_in("experiment", [CONF]):
        written = yaml.safe_load((CONF / "experiment" / f"{choice.name}.yaml").read_text(encoding="utf-8"))
        rows = [(f"`{key}`", f"`{value}`", "") for key, value in _set_by(written).items()]
        rows += [(f"`{key}`", "", f"`{value}`") for key, value in written["hydra"]["sweeper"]["params"].items()]
        command = f"```sh\npython -m harness.run -m experiment={choice.name}\n```"
        about = _text(choice.about.replace(f"Run it with: python -m harness.run -m experiment={choice.name}", ""))
        blocks += [f"### `{choice.name}`", about, command, _table(("setting", "value", "swept over"), rows)]
    return "\n\n".join(blocks)


def _set_by(written: Mapping[str, Any]) -> dict[str, Any]:
    """Choice or dotted setting -> value that an experiment's file gives to all its runs."""
    chosen = {
        key.removeprefix("override /"): value
        for entry in written.get("defaults", ())
        for key, value in entry.items()
        if key != "override /hydra/launcher"
    }
    groups = {key: value for key, value in written.items() if isinstance(value, dict) and key != "hydra"}
    return chosen | {f"{group}.{key}": value for group, inner in groups.items() for key, value in inner.items()}


def models() -> str:
    """Table of the local models that the ``llm`` group offers."""
    from llms.local.catalogue import BY_NAME

    head = ("`llm=`", "file", "parameters", "licence", "file size (MB)", "weights on disk (GB)", "repository")
    rows = []
    for choice in choices_in("llm", [CONF]):
        if (model := BY_NAME.get(_values(choice).get("model", ""))) is not None:
            sizes = (f"{model.file_bytes / 1e6:,.0f}", f"{model.folder_bytes / 1e9:.1f}")
            count = f"{model.parameters / 1e6:,.0f} M"
            rows.append((f"`{choice.name}`", model.file, count, model.licence, *sizes, model.repository))
    return _table(head, rows)


def columns(frame: str) -> str:
    """Table of a frame's columns."""
    from analysis.runs.columns import FRAMES

    rows = [(f"`{each.name}`", f"`{each.type}`", each.says, each.null) for each in FRAMES[frame]]
    return _table(("column", "type", "what it says", "null when"), rows)


def usage(prefix: str) -> str:
    """Table of what language-model calls cost: as rows name it (``usage.``), or as W&B does (``cost/``)."""
    from harness.trial import USAGE

    rows = [
        (
            f"`{prefix}{each.name if prefix.endswith('.') else each.column}`",
            "integer" if each.whole else "number",
            each.unit,
            each.says,
            each.null_when,
        )
        for each in USAGE
    ]
    return _table(("field", "type", "unit", "what it says", "null when"), rows)


WRITERS: dict[str, Callable[..., str]] = {
    writer.__name__: writer for writer in (overview, choices, settings, each, experiments, models, columns, usage)
}


def _section(group: str, choice: Choice) -> Iterator[str]:
    of_module, of_class = map(prose, docstrings(choice.target)) if group in DOCUMENTED else ("", "")
    header = "" if choice.about in " ".join(of_module.replace("`", "``").split()) else _text(choice.about)
    yield f"### `{choice.name}`"
    yield from filter(None, (header, of_module, of_class))
    if choice.tasks:
        yield f"Tasks: {', '.join(f'`{task}`' for task in choice.tasks)}."
    if choice.settings:
        yield _settings(choice.settings, f"{group}.")


def _settings(found: Sequence[Setting], prefix: str) -> str:
    rows = [
        (f"`{prefix}{each.name}`", f"`{each.value}`" if each.value else "several", _text(each.comment))
        for each in found
    ]
    return _table(("setting", "default", "what it means"), rows)


def _values(choice: Choice) -> dict[str, str]:
    return {setting.name: setting.value for setting in choice.settings}


def _text(text: str) -> str:
    """A comment of a YAML file as Markdown: nothing in it is markup but backquotes."""
    parts = re.split(r"(`+[^`]*`+)", text.replace("``", "`"))
    escaped = [each if each.startswith("`") else _escaped(each) for each in parts]
    return re.sub(r"\bdocs/(\w+)\.md", r"[\1](\1.md)", "".join(escaped))


def _escaped(text: str) -> str:
    return re.sub(r"([*_\[\]])", r"\\\1", text).replace("<", "&lt;")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([cell.replace("|", r"\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """MkDocs: the Markdown of a page before it is rendered."""
    return FENCE.sub(_fence, filled(markdown)).replace("](../results/", "](results/")


def _fence(match: re.Match[str]) -> str:
    ticks, language, rest = match.groups()
    return f'{ticks}{language} title="{rest}"' if "." in rest else f"{ticks}text"


def on_files(files: Any, config: Any, **_: Any) -> Any:
    """MkDocs: the figures of recorded experiments become files of the site."""
    from mkdocs.structure.files import File

    for path in sorted(ROOT.glob("results/*/figures/*.png")):
        files.append(File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path)))
    return files


def page_paths() -> list[Path]:
    """Every page, for the tests."""
    return sorted((ROOT / "docs").glob("*.md"))
