"""Prompts: the texts that all language-model methods share, and the settings of the prompt group.

The static part comes first and the history only grows, so that each prompt starts with the previous one and vLLM's
prefix cache applies.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from ConfigSpace.hyperparameters import Constant, FloatHyperparameter

from harness.choices import Choices, builtin, has_choices, loggable
from harness.clauses import clause_text, conditions_text
from harness.errors import SettingError, unknown
from harness.faults import describe
from harness.problem import Fidelity, Objective, Problem
from harness.trial import Trial
from optimizers.chat.forms import forms, shape
from optimizers.chat.told_space import ToldSpace, Way

FIDELITY_KEY = "fidelity"
"""Key of the fidelity in an answer, if one is requested."""
REPEATS = ("untold", "told")


@dataclass(frozen=True, slots=True)
class Prompt:
    """Contents of a prompt; conf/prompt/.

    Attributes:
        context: "task": describe model and data; "none": name the hyperparameters alone; the name of one of the task's
            levels (``Problem.contexts``): tell what stands there instead.
        reasoning: Ask for a few sentences of reasoning before the answer.
        feedback: Say what was wrong with an invalid proposal; False says only that it was invalid.
        hint: Which of the task's hints is given, as advice of an expert; "none" gives none.
        fidelity: Show the task's fidelities and ask for one with each configuration.
        repeats: "told": of a configuration that was evaluated before, the result says so, as which trial and with which
            score; "untold": it says the score alone. For methods that report the result of each trial.
        space: How the space is told: ``ToldSpace``.
    """

    context: str = "task"
    reasoning: bool = False
    feedback: bool = True
    hint: str = "none"
    fidelity: bool = False
    repeats: Literal["untold", "told"] = "untold"
    space: Way = "levels"

    def __post_init__(self) -> None:
        if self.repeats not in REPEATS:
            raise unknown("prompt.repeats", self.repeats, REPEATS)

    def refuse_repeats(self, method: str) -> None:
        """Refuse repeats for a method that shows only configurations with their scores.

        Raises:
            SettingError: Repeats are requested.
        """
        if self.repeats == "told":
            raise SettingError(
                f"prompt.repeats=told is for methods that tell the model the result of each trial, and {method} shows "
                "it configurations with their scores alone; leave prompt.repeats=untold, or take llm_chat, centaur, "
                "llinbo or llm_tpe."
            )

    def told(self, problem: Problem) -> ToldSpace:
        """The space as shown.

        Raises:
            SettingError: It cannot be shown this way.
        """
        return ToldSpace(problem, self.space)

    def about(self, problem: Problem, asks_fidelity: bool = False) -> str:
        """The texts on model and data; empty without context.

        Args:
            problem: Problem to optimize.
            asks_fidelity: Whether the method can ask for a fidelity.

        Raises:
            SettingError: The task has no such level, or the method cannot ask for the requested fidelity.
        """
        if self.fidelity and not asks_fidelity:
            raise SettingError(
                "prompt.fidelity=true is for optimizer=llm_chat, which can ask for a fidelity; take that method, or "
                "leave prompt.fidelity=false."
            )
        if self.context == "none":
            return ""
        if self.context == "task":
            return problem.description.text
        if self.context not in problem.contexts:
            raise unknown(f"context of {problem.name}", self.context, ["none", "task", *problem.contexts])
        return problem.contexts[self.context]

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

    def fidelities(self, problem: Problem) -> tuple[Fidelity, ...]:
        """The fidelities that are shown and requested.

        Raises:
            SettingError: They are requested, but the task has none, or a hyperparameter has their key as its name.
        """
        if not self.fidelity:
            return ()
        if not problem.fidelities:
            raise SettingError(
                f"prompt.fidelity=true needs a task with a fidelity and {problem.name} has none; take a task that has "
                "one, such as benchmark=toy, or leave prompt.fidelity=false."
            )
        if FIDELITY_KEY in problem.space:
            raise SettingError(
                f"{problem.name} has a hyperparameter named {FIDELITY_KEY!r}, the key under which a fidelity is asked "
                "for; leave prompt.fidelity=false."
            )
        return problem.fidelities


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
    """One line per hyperparameter: name, what it is, its values, when it is active; then one per forbidden clause."""
    space = problem.space
    lines = []
    for name, hyperparameter in space.items():
        meaning = (hyperparameter.meta or {}).get("description")
        condition = conditions_text(space, name)
        line = f"{json.dumps(name)}{f' ({meaning})' if meaning else ''}: {_values(hyperparameter)}"
        lines.append(f"{line}, only given if {condition}" if condition else line)
    return lines + [f"not allowed: {clause_text(clause)}" for clause in space.forbidden_clauses]


def fidelity_lines(fidelities: Sequence[Fidelity]) -> list[str]:
    """One line per fidelity: name and values."""
    lines = []
    for known in fidelities:
        kind, number = ("an integer", int) if known.integer else ("a number", float)
        lines.append(f"{json.dumps(known.name)}: {kind} from {number(known.lower)!r} to {number(known.upper)!r}")
    return lines


def placeholder(problem: Problem, fidelities: Sequence[Fidelity] = ()) -> str:
    """The form of an answer, without values: an example would suggest a region of the space.

    On a space with conditions there are several, joined by "or": each gives the values that decide which
    hyperparameters are active, and any legal values in the places of x make a configuration with exactly the required
    hyperparameters.
    """
    fidelity = {FIDELITY_KEY: shape({known.name: "x" for known in fidelities})} if fidelities else {}
    return " or ".join(shape(form | fidelity) for form in forms(problem.space))


def result(
    trial: Trial, objective: Objective, prompt: Prompt, others: Sequence[Objective] = (), told: ToldSpace | None = None
) -> str:
    """The result of a trial, in one sentence for the model; test scores and other metrics never appear.

    Args:
        trial: The trial.
        objective: Objective whose value is given.
        prompt: With fidelities, the one of the trial is given too, and its duration if known;
            with repeats, also that the same was evaluated before.
        others: Further objectives whose values are given.
        told: How configurations are shown; None for unchanged.
    """
    instead = f"{dumps(trial.params, told)} was run instead. "
    mended = "" if trial.repair is None else f"{_fault_text(trial, prompt, told)} {instead}"
    if trial.outcome is not None:
        losses = trial.outcome.losses
        values = _scores(losses, (objective, *others))
        text = f"{mended}{values}{_measured_at(trial) if prompt.fidelity else ''}."
        return f"{text}{_before(trial, prompt, (objective, *others))}"
    if trial.error is not None:
        said = trial.error.strip() or "no reason was given."  # logs written before errors always said something
        text = f"{mended}The evaluation failed: {said.splitlines()[0][:200]}"
        before = _before(trial, prompt, (objective, *others))
        return f"{text.rstrip('.')}.{before}" if before else text
    return f"{_fault_text(trial, prompt, told)} It was not evaluated."


def answer_of(trial: Trial, told: ToldSpace | None = None) -> str:
    """The proposal as listed in a history, with the shown names; with a fidelity below the highest.

    Unparseable replies are not shown again, since rambling replies lead to more rambling.
    """
    proposal = trial.proposal
    if proposal.params is None:
        return "(no configuration)"
    return dumps(proposal.params | ({} if proposal.fidelity is None else {FIDELITY_KEY: proposal.fidelity}), told)


def dumps(params: Mapping[str, Any] | None, told: ToldSpace | None = None) -> str:
    """A configuration as JSON, with the shown names."""
    return json.dumps(loggable(params if params is None or told is None else told.shown(params)))


def _scores(losses: Mapping[str, float], objectives: Iterable[Objective]) -> str:
    return ", ".join(f"{each.name} = {each.value(losses[each.name]):.5g}" for each in objectives)


def _before(trial: Trial, prompt: Prompt, objectives: Sequence[Objective]) -> str:
    """A sentence on an earlier evaluation of the same, if the prompt has repeats."""
    first = trial.repeats
    if first is None or prompt.repeats == "untold":
        return ""
    found = (
        "and the evaluation failed" if first.outcome is None else f"with {_scores(first.outcome.losses, objectives)}"
    )
    return f" This configuration was evaluated already, as trial {first.index + 1}, {found}."


def _measured_at(trial: Trial) -> str:
    fidelity = trial.proposal.fidelity
    parts = ["at the highest fidelity"]
    if fidelity is not None:
        named = " and ".join(f"{name} = {value}" for name, value in fidelity.items())
        parts = [f"at {named}, below the highest fidelity"]
    if trial.evaluation_seconds is not None:
        parts.append(f"in {trial.evaluation_seconds:.3g} s")
    return f" ({', '.join(parts)})"


def _fault_text(trial: Trial, prompt: Prompt, told: ToldSpace | None) -> str:
    if not prompt.feedback:
        return "Your proposal was invalid."
    violations = trial.violations if told is None else map(told.violation, trial.violations)
    return f"Your proposal was invalid: {'; '.join(map(describe, violations))}."


def _values(hyperparameter: Any) -> str:
    if has_choices(hyperparameter):
        forms = Choices(hyperparameter).forms
        return (
            f"always {json.dumps(forms[0])}" if isinstance(hyperparameter, Constant) else f"one of {json.dumps(forms)}"
        )
    kind = "a number" if isinstance(hyperparameter, FloatHyperparameter) else "an integer"
    scale = ", log scale" if getattr(hyperparameter, "log", False) else ""
    return f"{kind} from {builtin(hyperparameter.lower)!r} to {builtin(hyperparameter.upper)!r}{scale}"
