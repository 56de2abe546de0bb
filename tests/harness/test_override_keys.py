from __future__ import annotations

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException

from harness.choice_files import CONF
from harness.override_keys import about_key


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("+llm.port=3", "llm.port exists already; give llm.port=... without the +."),
        ("+seed=3", "seed exists already; give seed=... without the +."),
        ("+benchmark=toy", "benchmark is chosen already; give benchmark=... once and without a +."),
        ("~llm.prt", "Unknown setting of llm 'prt'; did you mean 'port'?"),
        ("optimizer.chat.port=3", "optimizer.chat is llm; give llm.port=... instead of optimizer.chat.port."),
        ("llm.environment.A=3", "llm.environment has no A yet; add it with a +: +llm.environment.A=..."),
        ("~decoding.temperature", "decoding.temperature is null, and Hydra removes only keys with a value; leave ~"),
        ("budget.proposal=3", "did you mean 'proposals'?"),
        (
            "hydra.launcher.address=auto",
            "hydra/launcher=workers has no setting 'address'; launchers with it: ray.",
        ),
        (
            "hydra.launcher.proceses=3",
            "Unknown setting of hydra/launcher=workers 'proceses'; did you mean 'processes'?",
        ),
        (
            "hydra.sweep.dri=x",
            "Unknown setting 'hydra.sweep.dri'; python -m harness.list --all lists the valid ones, --hydra-help",
        ),
    ],
)
def test_a_key_that_hydra_refuses_is_one_sentence_with_what_to_give(override, told):
    overrides = ["optimizer=llm_chat", override]
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"), pytest.raises(HydraException) as caught:
        compose("config", overrides=overrides)
    assert told in str(about_key(caught.value, overrides))
