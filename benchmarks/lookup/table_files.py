"""Find the two files of a table."""

from __future__ import annotations

from pathlib import Path

from harness.errors import SettingError, unknown
from harness.names import part

DATA, METADATA = "data.parquet.gzip", "metadata.json"

ORIGIN = {
    "svm": "https://ndownloader.figshare.com/files/30379359",
    "lr": "https://ndownloader.figshare.com/files/30379038",
    "rf": "https://ndownloader.figshare.com/files/30469089",
    "xgb": "https://ndownloader.figshare.com/files/30469920",
    "nn": "https://ndownloader.figshare.com/files/30379005",
}
"""Sources of HPOBench's v1 tables, from its data manager."""


def find_table(folder: Path, model: str, task: str) -> tuple[Path, Path]:
    """The two files of a table.

    Raises:
        SettingError: They are missing; the message lists the available tables and the source of the official ones.
    """
    model, task = (
        part(name, ".=+") for name in (model, task)
    )  # as tabulate writes them; keeps paths inside the folder
    stem = f"{model}_{task}"
    for place in (folder / model / task, folder / task, folder / model, folder):
        if (place / f"{stem}_{DATA}").is_file():
            return place / f"{stem}_{DATA}", place / f"{stem}_{METADATA}"
    found = {
        path.name.removesuffix(f"_{DATA}") for depth in ("", "*/", "*/*/") for path in folder.glob(f"{depth}*_{DATA}")
    }
    origin = f"unzip HPOBench's there ({ORIGIN[model]})" if model in ORIGIN else "name another folder"
    advice = f"{origin}, or write one with python -m benchmarks.tabulate"
    if not found:
        there = "holds no tables" if folder.is_dir() else "does not exist"
        raise SettingError(f"The folder {folder} {there}; {advice}.")
    raise SettingError(f"{str(unknown(f'table of {folder}', stem, found)).rstrip('.')}; or {advice}.")
