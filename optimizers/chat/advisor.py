"""Ask a chat model for configurations: build requests, send them as one batch, parse replies."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.chat import Completion
from harness.problem import Problem
from harness.trial import Candidate, Proposal, Proposer, Usage
from harness.validity import Checker
from optimizers.chat.chat_settings import ChatSettings
from optimizers.chat.fitting import Fitting, PromptWithHistory, Talk
from optimizers.chat.parse import ANSWER_KEY, REASONING_KEY, Parsed, parse_reply
from optimizers.chat.prompt import FIDELITY_KEY, placeholder, space_lines
from optimizers.chat.request import Requests


@dataclass(frozen=True, slots=True)
class Answer:
    """One reply and its parsed content.

    Attributes:
        completion: The reply.
        parsed: The configuration in it.
        fidelity: The fidelity given with it, if one was asked for; untrusted. None without one.
        short_names: Whether the model was shown levels by their short names.
        left_out: Number of entries of the history that the prompt left out to fit the model's context.
    """

    completion: Completion
    parsed: Parsed
    fidelity: Any = None
    short_names: bool = False
    left_out: int = 0

    def proposal(self, usage: Usage, note: str | None = None, candidates: Sequence[Candidate] = ()) -> Proposal:
        """The reply as a proposal.

        Args:
            usage: Cost of this ask; the first proposal of a batch reports the whole batch (``total``).
            note: Source of the proposal, put before the parser's note.
            candidates: Candidates from which it was chosen.
        """
        notes = [text for text in (note, self.parsed.note) if text]
        calls = () if self.completion.id is None else (self.completion.id,)
        note = ", ".join(notes) or None
        parsed = self.parsed
        return Proposal(
            parsed.params,
            self.fidelity,
            usage,
            calls,
            note,
            parsed.truncated,
            tuple(candidates),
            parsed.reason,
            proposer=Proposer.MODEL,
            short_names=self.short_names,
            left_out=self.left_out or None,
        )


class Advisor:
    """Asks for configurations of one problem.

    Args:
        problem: Its space defines the schema and the form of an answer.
        seed: Seeds the sampling of replies.
        settings: Model, prompt and decoding.
        top_p: The method's nucleus sampling probability.
    """

    def __init__(self, problem: Problem, seed: int, settings: ChatSettings, top_p: float = 1.0) -> None:
        self._chat, self._prompt = settings.chat, settings.prompt
        self._fitting = Fitting(settings.chat)
        self._checker = Checker(problem.space)
        self._fidelities = self._prompt.fidelities(problem)
        self.told = self._prompt.told(problem)
        """The space as shown to the model."""
        problem = self.told.problem
        self.lines = space_lines(problem)
        """The same, as lines of text."""
        self._requests = Requests(problem, settings, seed, top_p, self._fidelities)
        form = placeholder(problem, self._fidelities)
        before = f'"{REASONING_KEY}": "...", ' if self._requests.reasoned else ""
        self.form = f'{{{before}"{ANSWER_KEY}": {form}}}' if self._requests.wrapped else form
        """The form of an answer, without values: an example would suggest a region of the space."""

    @property
    def left_out(self) -> int | None:
        """Number of entries of the history that prompts leave out to fit the model's context; None for none."""
        return self._fitting.left_out or None

    def prepare(self) -> None:
        """Check that the model server is reachable."""
        self._chat.prepare()

    def ask(self, talks: Sequence[Talk | PromptWithHistory]) -> list[Answer]:
        """One answer per talk, in order; all requests are sent at once.

        Raises:
            ServerError: The server is not reachable.
            ModelError: The server refuses a request.
        """
        completions = self._fitting.complete(talks, self._requests.build)
        return [self._answer(completion) for completion in completions]

    def say(
        self,
        talks: Sequence[Talk | PromptWithHistory],
        max_tokens: int,
        temperature: float | None = None,
        top_logprobs: int = 0,
    ) -> list[Completion]:
        """One short free-text reply per talk, sent at once, for answers that are not configurations.

        Args:
            talks: The prompts.
            max_tokens: Token limit of a reply.
            temperature: None for the advisor's own.
            top_logprobs: Number of alternatives to report for each token.
        """
        return self._fitting.complete(
            talks, lambda messages: self._requests.plain(messages, max_tokens, temperature, top_logprobs)
        )

    def candidate(self, answer: Answer) -> Candidate:
        """An answer as a candidate, checked by the same rules as proposals."""
        proposal = answer.proposal(Usage())
        violations = self._checker.proposal(proposal)[1]
        return Candidate(answer.parsed.params, violations, answer.completion.id, note=answer.parsed.note)

    def legal(self, candidate: Candidate) -> dict[str, Any] | None:
        """The candidate's configuration in builtin scalars, in the space's order; None if it is invalid."""
        return self._checker.proposal(Proposal(candidate.params, short_names=self.told.short))[0]

    def _answer(self, completion: Completion) -> Answer:
        wrapped = self._requests.wrapped
        parsed = parse_reply(
            completion.text,
            completion.finish_reason,
            last=self._prompt.reasoning and not wrapped,
            key=ANSWER_KEY if wrapped else None,
        )
        if not self._prompt.reasoning:
            parsed = dataclasses.replace(parsed, reason=None)
        if not self._fidelities or FIDELITY_KEY not in (parsed.params or {}):
            return Answer(completion, parsed, None, self.told.short, self._fitting.left_out)
        params = dict(parsed.params or {})
        fidelity = params.pop(FIDELITY_KEY)
        parsed = dataclasses.replace(parsed, params=params)
        return Answer(completion, parsed, fidelity, self.told.short, self._fitting.left_out)


def total(completions: Sequence[Completion]) -> Usage:
    """Cost of a batch."""
    return sum((completion.usage for completion in completions), Usage())


def proposals_of(answers: Sequence[Answer], note: str | None = None) -> list[Proposal]:
    """The proposals of a batch of answers; the first reports the cost of all."""
    costs = [total([answer.completion for answer in answers])] + [Usage()] * (len(answers) - 1)
    return [answer.proposal(usage, note) for answer, usage in zip(answers, costs, strict=True)]
