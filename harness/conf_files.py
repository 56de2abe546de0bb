"""Read the documentation in ``conf/``: comments, and the docstrings and tasks of the classes.

Files are only parsed, and nothing is imported, so that ``--help`` is fast.
"""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from harness.internals import offered
from harness.merge_order import contents, loader, merge_order

DOCUMENTED = ("benchmark", "optimizer")
"""Groups in which each choice has its own module, whose docstring describes it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of a configuration file: its value and comment, as written."""

    name: str
    value: str
    comment: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One file of a group: ``<group>=<name>``.

    Attributes:
        name: Name of the file.
        about: The comment at its top, else the first paragraph of the module's docstring.
        settings: Settings for users, without internal ones.
        tasks: Tasks of a benchmark that declares them.
        target: Dotted path of the class; empty if the file builds nothing.
    """

    name: str
    about: str
    settings: tuple[Setting, ...]
    tasks: tuple[str, ...]
    target: str


def choices_in(group: str, folders: Sequence[Path]) -> list[Choice]:
    """The files of a group in several ``conf`` folders, by name, each with what it inherits."""
    names = {path.stem for folder in folders for path in (folder / group).glob("*.yaml")}
    return [_choice(group, name, dict(merge_order(group, name, folders))) for name in sorted(names)]


def _choice(group: str, name: str, files: Mapping[str, Path]) -> Choice:
    """One choice; a setting has the last value and the last comment that its files, in order of merging, give it."""
    texts = {each: path.read_text(encoding="utf-8") for each, path in files.items()}
    raw = {key: value for path in files.values() for key, value in contents(path).items() if key != "defaults"}
    wanted = offered(raw, raw)
    found: dict[str, Setting] = {}
    for text in texts.values():
        for key, value, comment in _entries(text):
            if key in wanted:
                found[key] = Setting(key, value, comment or (found[key].comment if key in found else ""))
    module, _, target = str(raw.get("_target_", "")).rpartition(".")
    about = _header(texts[name])
    if not about and (tree := _tree(module)) is not None and group in DOCUMENTED:
        about = (ast.get_docstring(tree) or "").partition("\n\n")[0]
    settings = tuple(found.values())
    return Choice(name, " ".join(about.split()), settings, _tasks(module, target), f"{module}.{target}".strip("."))


def docstrings(target: str) -> tuple[str, str]:
    """The cleaned docstrings of the module and of the class or function of a dotted path; empty if missing."""
    module, _, name = target.rpartition(".")
    if (tree := _tree(module)) is None:
        return "", ""
    kinds = ast.ClassDef | ast.FunctionDef
    found = [ast.get_docstring(node) for node in tree.body if isinstance(node, kinds) and node.name == name]
    return ast.get_docstring(tree) or "", (found[0] if found else None) or ""


def settings_in(path: Path, *, root: bool = False) -> tuple[Setting, ...]:
    """The scalar settings at the top level of a file; ``root`` for the composition root."""
    entries = list(_entries(path.read_text(encoding="utf-8")))
    plain = [(name, value, comment) for name, value, comment in entries if value]
    wanted = offered([name for name, _, _ in plain], root=root)
    return tuple(Setting(*entry) for entry in plain if entry[0] in wanted)


def _header(text: str) -> str:
    """The comment lines at the top."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# ").strip())
    return " ".join(line for line in lines if not line.startswith("@package"))


def _entries(text: str) -> Iterator[tuple[str, str, str]]:
    """Key, value and comment of each key at the top level; comments may continue on following lines."""
    import yaml

    lines = text.splitlines()
    node = yaml.compose(text, Loader=loader())
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        nested = isinstance(value, yaml.MappingNode | yaml.SequenceNode) and not value.flow_style
        mark = key.end_mark if nested else value.end_mark
        written = "" if nested else text[value.start_mark.index : value.end_mark.index].strip()
        comment = [lines[mark.line][mark.column :].partition("#")[2].strip()] if mark.line < len(lines) else []
        for line in lines[mark.line + 1 :] if comment and comment[0] else ():
            if not re.match(r"\s+#", line):
                break
            comment.append(line.strip().lstrip("# "))
        yield str(key.value), written, " ".join(filter(None, comment))


@cache
def _tree(module: str) -> ast.Module | None:
    """The parsed source of a module, not executed; None if there is none."""
    try:
        spec = importlib.util.find_spec(module) if module else None
        if spec is None or not spec.origin or not spec.origin.endswith(".py"):
            return None
        return ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    except (ImportError, ValueError, OSError, SyntaxError):
        return None


def _tasks(module: str, target: str) -> tuple[str, ...]:
    """The class's ``tasks``, if they are literal values or the keys of a literal mapping."""
    tree = _tree(module)
    for node in tree.body if tree else ():
        if isinstance(node, ast.ClassDef) and node.name == target:
            value = _assigned(node.body, "tasks")
            return tuple(str(task) for task in _values(value, module)) if value is not None else ()
    return ()


def _values(node: ast.expr, module: str) -> list[Any]:
    if isinstance(node, ast.Tuple | ast.List):
        return [item.value for item in node.elts if isinstance(item, ast.Constant)]
    if isinstance(node, ast.Dict):
        return [key.value for key in node.keys if isinstance(key, ast.Constant)]
    if isinstance(node, ast.Call) and len(node.args) == 1:  # tuple(DATA_SETS)
        return _values(node.args[0], module)
    return _values_of_name(node.id, module) if isinstance(node, ast.Name) else []


def _values_of_name(name: str, module: str) -> list[Any]:
    """The values of a name at the top of a module, or of the module it is imported from."""
    tree = _tree(module)
    body = tree.body if tree else []
    if (value := _assigned(body, name)) is not None:
        return _values(value, module)
    for node in body:
        if isinstance(node, ast.ImportFrom) and node.module and name in [alias.name for alias in node.names]:
            return _values_of_name(name, node.module)
    return []


def _assigned(body: Sequence[ast.stmt], name: str) -> ast.expr | None:
    for node in body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                return node.value
    return None
