"""Prompts: what every language-model method tells about the space, and the settings of the prompt group.

The static part comes first and the history only grows, so that each prompt starts with the one before it and vLLM's
prefix cache serves it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from ConfigSpace.hyperparameters import Constant, FloatHyperparameter, IntegerHyperparameter

from harness.check import builtin
from harness.errors import unknown
from harness.faults import describe
from harness.problem import Objective, Problem
from harness.trial import Trial


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model is told; conf/prompt/.

    Attributes:
        context: Describe model and data; False names the hyperparameters alone.
        reasoning: Ask for a few sentences of reasoning before the answer.
        feedback: Say what was wrong with an invalid proposal; False says only that it was invalid.
        hint: Which of the task's hints is given, as advice of an expert; "none" gives none.
    """

    context: bool = True
    reasoning: bool = False
    feedback: bool = True
    hint: str = "none"

    def advice(self, problem: Problem) -> str | None:
        """The text of the hint, or None.

        Raises:
            SettingError: The task has no such hint.
        """
        if self.hint == "none":
            return None
        if self.hint not in problem.hints:
            raise unknown(f"hint for {problem.name}", self.hint, ["none", *problem.hints])
        return problem.hints[self.hint]


@cache
def template(name: str) -> ModuleType:
    """The macros of ``prompts/<name>.jinja``."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "prompts"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 (a prompt is plain text)
    )
    environment.filters["json"] = json.dumps
    return environment.get_template(f"{name}.jinja").module  # type: ignore[return-value]


def space_lines(problem: Problem) -> list[str]:
    """One line a hyperparameter: name, what it is, its values, when it is active; then one a forbidden clause."""
    space = problem.space
    lines = []
    for name, hyperparameter in space.items():
        meaning = (hyperparameter.meta or {}).get("description")
        condition = " and ".join(_plain(c, f"{name} | ") for c in space.parent_conditions_of[name])
        line = f"{json.dumps(name)}{f' ({meaning})' if meaning else ''}: {_values(hyperparameter)}"
        lines.append(f"{line}, only given if {condition}" if condition else line)
    return lines + [f"not allowed: {_plain(clause, 'Forbidden: ')}" for clause in space.forbidden_clauses]


def placeholder(problem: Problem) -> str:
    """The shape of an answer with no value in it: an example would be a hint about where to look."""
    return "{" + ", ".join(f"{json.dumps(name)}: x" for name in problem.space) + "}"


def result(trial: Trial, objective: Objective, prompt: Prompt) -> str:
    """What became of a trial, in one sentence for the model; test scores and other metrics never appear."""
    if trial.outcome is not None:
        loss = trial.outcome.losses[objective.name]
        mended = "" if trial.repair is None else f"{_fault_text(trial, prompt)} {dumps(trial.params)} was run instead. "
        return f"{mended}{objective.name} = {objective.value(loss):.5g}."
    if trial.error is not None:
        return f"The evaluation failed: {trial.error.splitlines()[0][:200]}"
    return f"{_fault_text(trial, prompt)} It was not evaluated."


def answer_of(trial: Trial) -> str:
    """What was proposed, as a history lists it.

    A reply that was no configuration is not shown again: one that rambles makes the next one ramble too.
    """
    return "(no configuration)" if trial.proposal.params is None else dumps(trial.proposal.params)


def dumps(params: Mapping[str, Any] | None) -> str:
    """A configuration as the JSON a model reads and writes."""
    return json.dumps(params, default=repr)


def _plain(expression: Any, clutter: str) -> str:
    """A condition or clause as ConfigSpace prints it, in words."""
    return str(expression).replace(clutter, "").replace("&&", "and").replace("||", "or")


def _fault_text(trial: Trial, prompt: Prompt) -> str:
    if not prompt.feedback:
        return "Your proposal was invalid."
    return f"Your proposal was invalid: {'; '.join(describe(violation) for violation in trial.violations)}."


def _values(hyperparameter: Any) -> str:
    if isinstance(hyperparameter, Constant):
        return f"always {json.dumps(builtin(hyperparameter.value))}"
    if isinstance(hyperparameter, FloatHyperparameter | IntegerHyperparameter):
        kind = "a number" if isinstance(hyperparameter, FloatHyperparameter) else "an integer"
        scale = ", log scale" if getattr(hyperparameter, "log", False) else ""
        return f"{kind} from {builtin(hyperparameter.lower)!r} to {builtin(hyperparameter.upper)!r}{scale}"
    levels = getattr(hyperparameter, "sequence", None) or hyperparameter.choices
    return "one of " + json.dumps([builtin(level) for level in levels])
