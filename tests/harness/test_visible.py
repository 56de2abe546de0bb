"""Text for sentences: lists of names, and characters that could hide something."""

from __future__ import annotations

from harness.visible import is_name, listed, visible


def test_lists_stay_readable():
    assert listed(["a", "b"]) == "a, b"
    assert listed(["a, free", "b"]) == "a, free and b"
    assert listed(["a", "b", "c"], 2) == "a, b and 1 more"
    assert listed([], 2) == ""


def test_hidden_characters_show():
    assert visible("a\u202eb\n\t") == "a⟨U+202E⟩b\n\t"
    assert [is_name(text) for text in ("a b", "", " ", "a\nb", "a\u200bb", 3)] == [True, *[False] * 5]
