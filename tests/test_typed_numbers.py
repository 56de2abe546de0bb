"""Every number on a page has a source (law 12).

Measurements stand between marks, where ``test_results.py`` compares them with the recorded runs. ``typed_numbers.yaml``
names the source of each other number: a setting, a limit in the code, a published figure, an example. Prefer a mark, a
generated table or no number at all to a line there.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
import yaml

from docs.generate import ROOT, filled, page_paths
from tests.test_results import MARKS, TEXT

SOURCES = yaml.safe_load(Path(__file__).with_name("typed_numbers.yaml").read_text(encoding="utf-8"))
PATHS = {path.stem: path for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *page_paths())}
FENCED = re.compile(r"^(`{3,})(.*?)^\1`*$|^(?: {4}[^\n]*\n)+", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"(`+)[^`].*?\1|\]\([^)]*\)")
ORDINAL = re.compile(r"^\d+\. ", re.MULTILINE)
NUMBER = re.compile(r"(?<![\w.,@#])(?<![A-Za-z]-)-?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?(?!\w|\.\d)")
WORDS = "two three four five six seven eight nine ten twelve fifteen twenty thirty forty fifty hundred thousand million"
VAGUE = " half quarter third thirds dozen several few many couple"
UNITS = (
    r"%|percent|per cent|‰|s|ms|µs|secs?|seconds?|mins?|minutes?|h|hours?|days?|weeks?|J|kJ|joules?|W|kW|watts?|k?Wh|"
    r"[kKMGT]i?B|bytes|(?:kilo|mega|giga|tera)bytes?|tokens?|calls?|requests?|times|fold|x|×|points?|cores?|dollars?|"
    r"euros?|cents?|USD|EUR|GFLOPs?|TFLOPs?|FLOPs?"
)
DIGITS = r"\d[\d,]*(?:\.\d+)?(?:e-?\d+)?[kMGB]?"
SPELT = "|".join(WORDS.split())
COUNTED = rf"{DIGITS}[\s-]?|(?:{'|'.join((WORDS + VAGUE).split())})[\s-]"
QUANTITY = re.compile(
    rf"(?<![\w.@#])(?<![A-Za-z]-)(?:(?:{COUNTED})(?:an? |of an? )?(?:{UNITS})(?![\w-])|[$€]\d[\d.,]*|"
    rf"(?:\d+|{SPELT}) (?:out )?of (?:every )?(?:\d+|{SPELT})\b|(?:\d+|one|{SPELT}) in (?:every )?(?:\d+|{SPELT})\b|"
    r"(?:a|one) (?:second|minute|hour|day)s?\b(?! time)|(?:twice|thrice|double|half|threefold|tenfold) (?:as|the|of)\b|"
    r"(?:two |a |three )?(?:thirds?|quarters?) of\b|orders? of magnitude|"
    r"(?:regret|loss|accuracy|error|score|share|rate)s? (?:of|is|was|at|reaches|reached) (?:about |only )?-?\d)",
    re.IGNORECASE,
)
"""A number, in digits or in words, with a unit of what can be measured; or a ratio in words."""
FRACTION = re.compile(r"(?<![\w.:/-])(?<!arXiv )(?<!vLLM )\d+\.\d{2,}(?![\w.])")
"""Settings seldom have two decimals, measured values do."""
CHECKED = re.compile(r"^Classified as:.*$", re.MULTILINE)
"""What ``test_hallucination_page.py`` compares."""


def unsourced(page: str, text: str) -> str:
    """A page's text without what is compared with recorded runs and without what has a named source."""
    text = CHECKED.sub("", text)
    if page != "CONTRIBUTING":  # test_results.py reads the others
        text = TEXT.sub("", MARKS.sub("", text))
    for words in SOURCES.get(page, {}):
        text = re.sub(_spaced(words), "", text)
    return text


def prose(text: str) -> str:
    """In one line, without code, targets of links and numbers of lists."""
    return one_line(ORDINAL.sub("", CODE.sub("", FENCED.sub("", text))))


def one_line(text: str) -> str:
    """A number and its unit may be on two lines, or have a narrow space between them."""
    return " ".join(text.split())


def typed(page: str, text: str) -> list[str]:
    """Numbers without a source in what stands in a page's file: every number in prose, every quantity in code too."""
    rest = unsourced(page, text)
    words, rest = prose(rest), one_line(rest)
    numbers = [each for each in NUMBER.finditer(words) if each[0].rstrip(",") not in ("0", "1")]
    return [_near(words, each) for each in numbers] + [_near(rest, each) for each in QUANTITY.finditer(rest)]


def typed_elsewhere(page: str, text: str) -> list[str]:
    """Numbers without a source in what fills a page (docstrings, comments of conf/): quantities and long fractions."""
    rest = unsourced(page, filled(text))
    words, rest = prose(rest), one_line(rest)
    return [_near(words, each) for each in FRACTION.finditer(words)] + [
        _near(rest, each) for each in QUANTITY.finditer(rest)
    ]


def _near(text: str, found: re.Match[str]) -> str:
    return " ".join(text[max(0, found.start() - 50) : found.end() + 30].split())


def _spaced(words: str) -> str:
    return r"\s+".join(map(re.escape, words.split()))


@pytest.mark.parametrize("page", PATHS)
def test_a_typed_number_has_a_source(page):
    text = PATHS[page].read_text(encoding="utf-8")
    assert typed(page, text) == []
    assert typed_elsewhere(page, text) == []


@pytest.mark.parametrize("page", SOURCES)
def test_a_source_is_there_and_says_this_number(page):
    text = filled(PATHS[page].read_text(encoding="utf-8"))
    for words, source in SOURCES[page].items():
        assert re.search(_spaced(words), text), f"nothing on the page says: {words}"
        module, _, name = source.partition(":")
        if name:
            value = re.escape(str(getattr(importlib.import_module(module), name)))
            said = re.search(rf"(?<![\d.]){value}(?![\d.])", re.sub(r"(?<=\d),(?=\d)", "", words))
            assert said, f"{source} is another number than: {words}"
        for path in re.findall(r"\b(?:harness|benchmarks|optimizers|llms|analysis|conf)/[\w/.]+", source):
            assert (ROOT / path.rstrip(".")).exists(), path


@pytest.mark.parametrize(
    "sentence",
    [
        "It takes 271 s.",
        "It takes 271 seconds.",
        "It took about four minutes.",
        "It starts in a minute or two.",
        "It is ready after half an hour.",
        "A call takes a few seconds.",
        "It is 3x faster.",
        "It is twice as fast.",
        "It answers three times as often.",
        "It answers 2.5-fold.",
        "An order of magnitude more.",
        "Two thirds of its proposals are invalid.",
        "A quarter of its proposals are invalid.",
        "Half of the proposals are invalid.",
        "The invalid rate is 42.0 %.",
        "The invalid rate is 42%.",
        "Forty percent are invalid.",
        "It read 1,390 tokens.",
        "It read 12k tokens.",
        "It takes 10-20 s.",
        "It takes 271\n  seconds.",
        "It takes 271\u202fs, 42\u00a0% of it for nothing.",
        "Nine out of ten proposals are invalid.",
        "One in three proposals is invalid.",
        "84 of 120 proposals",
        "It costs $0.02 per run.",
        "It used 12 kJ.",
        "It needs several gigabytes of disk.",
        "It needs 4GiB.",
        "Its regret is 0.0470.",
        "Its score is 0.9.",
        "0.1363 versus 0.1301.",
        "`It took 12 s.`",
        "```text\nrunning, 40 s left\n```",
        "    make run  # 9 minutes",
    ],
)
def test_a_measured_number_is_found(sentence):
    assert typed("index", sentence)
    assert typed_elsewhere("index", sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "84 of them are invalid.",
        "It ends at 0.5.",
        "Of 120 proposals",
        "about 3",
        "84/120",
        "-7",
        "~7",
        "7-9",
        "2-core",
    ],
)
def test_any_number_in_a_page_s_own_prose_is_found(sentence):
    assert typed("index", sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "HPOBench v1, NAS-Bench-201, SmolLM2 135M, SHA-256 and SMAC3.",
        "1. First.\n2. Second.\n",
        "[a link](https://arxiv.org/abs/2505.21372)",
        "`benchmark.levels=5`, `0.0017`",
        "0 is the optimum, 1 the expectation.",
        "one line per trial, twice",
        "```python\nx = 0.25\n```",
    ],
)
def test_what_is_no_number_of_the_text_is_left_alone(sentence):
    assert typed("index", sentence) == []
