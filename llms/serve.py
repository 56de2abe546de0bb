"""Serve a model until Ctrl-C: ``python -m llms.serve [--llm CHOICE] [key=value ...]``; ``make serve`` does this."""

from __future__ import annotations

import sys
import time
from typing import Any

from harness.arguments import Parser
from harness.choice_files import CONF, composed
from harness.errors import HyperboleError, unknown
from harness.values import TARGET
from llms.server.server import ensure_server, stop_server
from llms.server.server_settings import SERVER_KEYS, ServerSettings, server_settings
from llms.wire.health import served_models

GROUP = CONF / "llm"


def read_settings(llm: str, overrides: list[str]) -> ServerSettings:
    """The server's part of ``conf/llm/<llm>.yaml``, changed by ``key=value`` overrides.

    Raises:
        SettingError: There is no such file or key, or the file does not describe a local server.
    """
    from omegaconf import OmegaConf

    known = {path.stem: composed("llm", path.stem, [CONF]) for path in GROUP.glob("*.yaml")}
    servers = {name for name, settings in known.items() if settings.get(TARGET) == "llms.models.vllm"}
    if llm not in servers:
        raise unknown("llm to serve", llm, servers)
    changes = OmegaConf.from_dotlist([override.removeprefix("llm.") for override in overrides])
    for key in changes:
        if key not in SERVER_KEYS:
            raise unknown("setting", f"llm.{key!s}", (f"llm.{name}" for name in SERVER_KEYS))
    merged: Any = OmegaConf.to_container(OmegaConf.merge(known[llm], changes))
    return server_settings({key: value for key, value in merged.items() if key in SERVER_KEYS})


def model_of(llm: str) -> str | None:
    """The model that a choice of ``llm=`` names; None if there is no such choice or it names none."""
    named = composed("llm", llm, [CONF]).get("model")
    return None if named is None else str(named)


def main() -> int:
    """The command line; exit code 2 and one sentence when nothing can be served."""
    parser = Parser(prog="python -m llms.serve", description=__doc__)
    parser.add_argument(
        "--llm", default="smollm2_135m", help="a file of conf/llm that starts a server (default: smollm2_135m)"
    )
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="e.g. port=8078")
    arguments = parser.parse_args()
    settings = None
    try:
        settings = read_settings(arguments.llm, arguments.overrides)
        url = ensure_server(settings)
        ours = "Ctrl-C stops it" if settings.owners.exists() else "it was already running and is not stopped"
        print(f"{settings.name} is served at {url} ({ours}; its log is {settings.log}).", flush=True)
        while served_models(url) is not None:
            time.sleep(1.0)
        print("The server has ended.", file=sys.stderr)
        return 2
    except HyperboleError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        if settings is not None:
            stop_server(settings)
        return 0


if __name__ == "__main__":
    sys.exit(main())
