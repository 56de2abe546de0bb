"""``python -m harness.publish runs/<experiment>``: publish finished runs to W&B, one W&B run each.

Publishing again replaces: the W&B id follows from a run's path. Exit codes: 0 all finished runs were published,
1 W&B failed for some, 2 for a folder or a setting that does not exist.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from harness.arguments import Parser
from harness.errors import HyperboleError, RunError
from harness.jsonl import read_rows
from harness.record import FILE, read_record
from harness.run_files import every_run_file
from harness.wandb.wandb_tracker import WandbTracker
from harness.whole import whole_rows

FINISHED = ("complete", "failed")


def publish_run(folder: Path, tracker: WandbTracker) -> str | None:
    """Send one recorded run through the tracker, as if it were live.

    Returns:
        The error of W&B, or None.

    Raises:
        RunError: A file of the run is damaged.
    """
    run = read_record(folder / FILE)
    complete = run["status"] == "complete"
    rows = whole_rows(folder, run) if complete else read_rows(folder / "trials.jsonl")
    tracker.start(folder, {**run, "status": "running"})
    for row in rows:
        tracker.log(row)
    tracker.finish(run)
    return tracker.failure


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        tracker = WandbTracker(
            project=options.project,
            entity=options.entity,
            mode="online" if options.online else "offline",
            directory=options.directory,
            finish_timeout_seconds=options.finish_timeout_seconds,
        )
        folders = [path.parent for path in every_run_file(options.folder)]
    except HyperboleError as error:
        print(error, file=sys.stderr)
        return 2
    wanted = FINISHED[:1] if options.only_complete else FINISHED
    words = [_publish_one(folder, tracker, wanted) for folder in folders]
    published, failed = words.count("published"), words.count("failed")
    where = "to W&B" if options.online else "to W&B's offline files (send them with `wandb sync <folder>`)"
    print(f"Published {published} of {len(folders)} runs {where}; {failed} failed, {words.count('skipped')} skipped.")
    return 1 if failed else 0


def _publish_one(folder: Path, tracker: WandbTracker, wanted: Sequence[str]) -> str:
    """Publish one folder, print a message, and return published, skipped or failed."""
    try:
        status = read_record(folder / FILE)["status"]
        if status not in wanted:
            print(f"Skipped {folder}: its status is {status!r}, not {' or '.join(wanted)}.")
            return "skipped"
        if publish_run(folder, tracker) is not None:
            return "failed"  # the tracker has printed the reason
    except RunError as error:
        print(error, file=sys.stderr)
        return "failed"
    print(f"Published {folder}.", flush=True)
    return "published"


def _parser() -> Parser:
    parser = Parser(
        prog="python -m harness.publish",
        description="Publish finished runs to Weights & Biases. Publishing again replaces earlier copies.",
    )
    parser.add_argument(
        "folder", type=Path, help="an experiment, e.g. runs/quickstart, or any folder with runs below it"
    )
    parser.add_argument("--online", action="store_true", help="send to the server now (default: write offline files)")
    parser.add_argument("--project", default="hyperbole", help="W&B project (default: %(default)s)")
    parser.add_argument("--entity", help="W&B user or team (default: yours)")
    parser.add_argument("--directory", type=Path, help="where the wandb/ folder goes (default: each run's own folder)")
    parser.add_argument("--only-complete", action="store_true", help="leave out failed runs")
    parser.add_argument(
        "--finish-timeout-seconds", type=float, default=300.0, help="longest wait per run (default: %(default)g)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
