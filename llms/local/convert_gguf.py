"""Convert a GGUF file into a folder for vLLM: ``python -m llms.local.convert_gguf FILE FOLDER``, in its own process.

Only this module imports torch and transformers; ``llms.local.local_model`` starts it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # everything is in the file


def convert(gguf: Path, folder: Path) -> None:
    """Write the model as bfloat16 safetensors, with its tokenizer and chat template, into ``folder``."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    source = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    tokenizer = AutoTokenizer.from_pretrained(**source)
    model = AutoModelForCausalLM.from_pretrained(
        **source, dtype=torch.bfloat16, quantization_config=GgufConfig(dequantize=True)
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
