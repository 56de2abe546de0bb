"""The settings of one choice, with those that it inherits."""

from __future__ import annotations

from omegaconf import DictConfig, OmegaConf

from harness.choice_files import CONF, composed


def chosen(group: str, choice: str) -> DictConfig:
    """What ``<group>=<choice>`` sets, with unresolved references."""
    return OmegaConf.create(composed(group, choice, [CONF]))
