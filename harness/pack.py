"""Pack an experiment into three Parquet files, or unpack it.

python -m harness.pack runs/x
python -m harness.pack --unpack runs/x

The complete runs become runs.parquet, trials.parquet and calls.parquet in the experiment's folder, a small part of the
size. analysis, harness.status, harness.replay and harness.publish read a packed run like any other,
and its files can be restored byte for byte: this is checked before the Parquet files replace earlier ones. Runs that
are not complete, damaged or in use stay as they are.

Nothing is deleted without --remove. With it, the packed files of a run are deleted after each was compared with the
pack; unpacking with --remove deletes the Parquet files.
Exit codes: 0 done, 1 some runs were left out, 2 a mistake in the command.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable
from pathlib import Path

from harness.arguments import Parser
from harness.errors import HyperboleError, PackError, RunError
from harness.experiments import not_an_experiment
from harness.explain import explained
from harness.files import replace_file, usable
from harness.folder import LOCK
from harness.holder import Holder
from harness.pack_writer import Files, write_pack
from harness.packed import CALLS, LOGS, RECORD, RUNS_FILE, TRIALS, content_of, pack_of
from harness.record import read_record
from harness.run_files import run_files
from harness.sweep_record import FILE as SWEEPS
from harness.visible import visible
from harness.whole import check_whole

NAMES = (RECORD, TRIALS, CALLS)


def main() -> None:
    """The command."""
    parser = Parser.of_module("harness.pack", __doc__)
    parser.add_argument("experiment", type=Path, help="folder of the runs, such as runs/quickstart")
    parser.add_argument("--to", type=Path, metavar="DIR", help="where to write (default: the experiment's folder)")
    parser.add_argument("--unpack", action="store_true", help="restore the runs' files from the pack")
    parser.add_argument("--remove", action="store_true", help="delete what was packed, or unpacked, after a check")
    options = parser.parse_args()
    with explained([]):
        target = options.to or options.experiment
        left = (unpack if options.unpack else pack)(options.experiment, target, options.remove)
        for sentence in left:
            print(visible(sentence), file=sys.stderr)
    raise SystemExit(1 if left else 0)


def pack(experiment: Path, target: Path, remove: bool = False) -> list[str]:
    """Pack the complete runs of an experiment and print what was done.

    Args:
        experiment: Its folder, which may be packed already.
        target: Folder of the Parquet files; if it is another one, ``sweeps.jsonl`` is copied too.
        remove: Whether to delete the packed files of the runs.

    Returns:
        A sentence for every run that was left out, or whose files were not deleted.

    Raises:
        HyperboleError: It is not an experiment, has no complete run, or the files cannot be written or read back.
    """
    paths = run_files(experiment)
    if not paths:
        raise not_an_experiment(experiment)
    left: list[str] = []
    folders = {path.parent: _reason(path) for path in paths}
    left += [f"{folder} is left out: {why}" for folder, why in folders.items() if why is not None]
    whole = [folder for folder, why in folders.items() if why is None]
    if not whole:
        raise RunError("\n".join([f"{experiment} has no complete run that can be packed.", *left]))
    files = ((folder.relative_to(experiment).as_posix(), _files(folder)) for folder in sorted(whole, key=_place))
    before, after = write_pack(target, files)
    if target.resolve() != experiment.resolve() and (experiment / SWEEPS).exists():
        replace_file(target / SWEEPS, (experiment / SWEEPS).read_bytes())
    print(f"{len(whole):,} runs packed in {target}: {before / 1e6:,.1f} MB became {after / 1e6:,.1f} MB.")
    return left + (_removed(experiment, target, whole) if remove else [])


def unpack(experiment: Path, target: Path, remove: bool = False) -> list[str]:
    """Restore the files of an experiment's packed runs and print what was done.

    Args:
        experiment: The folder of the Parquet files.
        target: Folder in which the runs' folders are written.
        remove: Whether to delete the Parquet files afterwards.

    Returns:
        A sentence for every run that was left alone, because the target has other files of it.

    Raises:
        HyperboleError: There is no pack, it is damaged, or the files cannot be written.
    """
    pack = pack_of(experiment)
    if pack is None:
        raise PackError(f"{experiment} is not packed: it has no {RUNS_FILE}.")
    left = []
    for run in pack.runs:
        files = {name: content for name in NAMES if (content := pack.content(run, name)) is not None}
        if (why := _differs(target / run, files)) is not None:
            left.append(f"{target / run} is left alone: {why}")
            continue
        for name in reversed(files):  # run.json last: it makes the folder the run's
            if not (target / run / name).exists():
                replace_file(target / run / name, files[name])
    if target.resolve() != experiment.resolve() and (experiment / SWEEPS).exists():
        replace_file(target / SWEEPS, (experiment / SWEEPS).read_bytes())
    print(f"{len(pack.runs) - len(left):,} of {len(pack.runs):,} runs unpacked in {target}.")
    if remove and not left:
        for name in (RUNS_FILE, *LOGS.values()):
            (experiment / name).unlink()
        print(f"The Parquet files in {experiment} were deleted.")
    return left


def _place(folder: Path) -> tuple[str, str, int, str]:
    """The order in which analysis reads runs, so that each part of the pack is read once."""
    seed = folder.name
    return folder.parent.name, folder.parents[1].name, int(seed) if seed.isdecimal() else -1, seed


def _reason(path: Path) -> str | None:
    """Why a run is left out; None if it is whole."""
    try:
        run = read_record(path, oldest=1)
        holder = Holder.read(path.parent / LOCK)
        if holder is not None and holder.is_alive is not False:
            return f"process {holder.pid} on {holder.host} works on it."
        if run["status"] != "complete":
            return f"it is {run['status']}."
        check_whole(path.parent, run)
        for name, content in _files(path.parent).items():
            content.decode()
            if name in LOGS and content and not content.endswith(b"\n"):
                return f"the last line of {name} is truncated."
    except UnicodeDecodeError:
        return "a file of it is not text in UTF-8."
    except (OSError, HyperboleError) as error:
        return str(error)
    return None


def _files(folder: Path) -> Files:
    return {name: content for name in NAMES if (content := content_of(folder / name)) is not None}


def _removed(experiment: Path, target: Path, folders: Iterable[Path]) -> list[str]:
    """Delete packed files, each after it was compared with the pack; empty folders too."""
    pack = pack_of(target)
    assert pack is not None, "it was just written"
    left, size, count = [], 0, 0
    for folder in folders:
        run = folder.relative_to(experiment).as_posix()
        paths = [folder / name for name in NAMES if (folder / name).is_file()]
        with usable(folder):
            if any(path.read_bytes() != pack.content(run, path.name) for path in paths):
                left.append(f"{folder} was changed meanwhile; it was not deleted.")
                continue
            for path in paths:  # run.json first: without it the pack counts
                size += path.stat().st_size
                path.unlink()
        count += bool(paths)
        _clear(folder)
    print(f"The files of {count:,} runs were deleted ({size / 1e6:,.1f} MB).")
    return left


def _clear(folder: Path) -> None:
    """Remove a folder that has nothing but its lock, and those above it that are empty."""
    with contextlib.suppress(OSError):  # stops at the first one with other files
        (folder / LOCK).unlink(missing_ok=True)
        for each in (folder, *folder.parents[:2]):
            each.rmdir()


def _differs(folder: Path, files: Files) -> str | None:
    """Why a folder cannot take the files of a run; None if it can."""
    with usable(folder):
        for name in NAMES:
            path = folder / name
            if path.exists() and path.read_bytes() != files.get(name):
                return f"its {name} is another one."
    return None


if __name__ == "__main__":
    main()
