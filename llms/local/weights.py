"""From the name of a model to the weights that vLLM loads."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path

from harness.errors import ModelError
from llms.local.catalogue import BY_NAME
from llms.local.local_model import prepared, prepared_file


def find_weights(model: str, environment: Mapping[str, str]) -> str:
    """A folder on this machine, or a Hugging Face id whose ``config.json`` could be fetched.

    Args:
        model: A name of the catalogue, a folder, a GGUF file or a folder with one, or a Hugging Face id such as
            ``Qwen/Qwen2.5-7B-Instruct``. A GGUF file is converted once.
        environment: The server's environment; HF_HUB_OFFLINE=1 holds for this look-up too.

    Raises:
        ModelError: The model does not exist or cannot be fetched.
    """
    if model in BY_NAME:
        return str(prepared(BY_NAME[model]))
    folder = Path(model).expanduser()
    if folder.is_file() and folder.suffix.casefold() == ".gguf":
        return str(prepared_file(folder))
    if folder.is_dir():
        if (folder / "config.json").is_file():
            return str(folder.resolve())
        files = [path for path in folder.iterdir() if path.suffix.casefold() == ".gguf"]
        if len(files) == 1:
            return str(prepared_file(files[0]))
        raise ModelError(
            f"The folder {model} holds no config.json and {len(files)} GGUF files; set llm.model to a folder that "
            "transformers can load, or to one GGUF file."
        )
    if folder.is_absolute() or model.startswith((".", "~")) or model.count("/") != 1:
        raise ModelError(
            f"There is no model {model}; {_near(model)}set llm.model to a folder, a GGUF file, a Hugging Face "
            f"id such as Qwen/Qwen2.5-7B-Instruct, or one of {', '.join(BY_NAME)}."
        )
    offline = environment.get("HF_HUB_OFFLINE", os.environ.get("HF_HUB_OFFLINE", "0")) in ("1", "true", "True")
    _fetch_config(model, offline)
    return model


def _near(model: str) -> str:
    near = difflib.get_close_matches(model.casefold(), BY_NAME, n=1, cutoff=0.6)
    return f"did you mean {near[0]}? Otherwise, " if near else ""


def _fetch_config(model: str, offline: bool) -> None:
    from huggingface_hub import hf_hub_download

    try:
        hf_hub_download(model, "config.json", local_files_only=offline, etag_timeout=10)
    except Exception as error:  # its exceptions share no root: HTTP, validation, cache and OS errors
        first = str(error).strip().split("\n")[0].rstrip(".")
        reason = "it is not in the Hugging Face cache and HF_HUB_OFFLINE is set" if offline else first
        raise ModelError(
            f"The model {model} cannot be loaded ({reason}); check llm.model, the network, and HF_TOKEN if it is gated."
        ) from None
