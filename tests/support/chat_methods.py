"""Language-model methods built from their YAML files, with a scripted model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.budget import Budget
from harness.chat import ChatModel
from harness.choice_files import CONF
from harness.problem import Problem
from harness.signature import gathered, settings_of
from llms.decoding import Decoding
from optimizers.chat.prompt import Prompt
from tests.support.chosen import chosen

FILES = [chosen("optimizer", path.stem) for path in (CONF / "optimizer").glob("*.yaml")]
TEMPERATURES = {file["_target_"].rpartition(".")[2]: file["temperature"] for file in FILES if "temperature" in file}


def built(
    method: Callable[..., Any],
    problem: Problem,
    seed: int,
    budget: Budget,
    *,
    chat: ChatModel | None = None,
    prompt: Prompt | None = None,
    decoding: Decoding | None = None,
    **settings: Any,
) -> Any:
    """The optimizer, without settings that it does not have (``human`` has no decoding)."""
    shared = {"chat": chat, "prompt": prompt or Prompt(), "decoding": decoding or Decoding()}
    shared["temperature"] = TEMPERATURES.get(method.__name__)
    taken = {name: value for name, value in shared.items() if name in settings_of(method)[0]}
    return method(problem, seed, budget, **gathered(method, taken | settings))
