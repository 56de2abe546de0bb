"""Twenty faults of ``make torture``: whatever strikes a sweep, its record becomes that of an undisturbed one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.torture.campaign import Campaign

pytestmark = pytest.mark.timeout(1800)

METHODS = ("random_search", "tpe", "llm_chat", "opro")


def test_a_tortured_sweep_ends_with_the_record_of_an_undisturbed_one(tmp_path: Path) -> None:
    campaign = Campaign(tmp_path, seed=3, methods=METHODS, proposals=12)
    campaign.run(20, say=print)
    print(campaign.table())
    assert campaign.failures == []
