"""The connection to a Ray cluster, or to Ray on this machine alone. Only ``harness.engine.ray_pool`` imports it."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TextIO

from harness.engine.extra import check_installed
from harness.errors import HyperboleError, SettingError

OBJECT_STORE_BYTES = 100 * 1024**2
"""Ray's shared memory on this machine: jobs and results are a few kilobytes each."""
ANSWER_SECONDS = 10.0
"""How long to wait for a cluster to take a connection."""
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # else Ray reports to its makers
    "RAY_COLOR_PREFIX": "0",
    "RAY_DEDUP_LOGS": "0",
}
_LOCAL = {
    "RAY_raylet_start_wait_time_s": "300",  # a busy machine takes longer than Ray's minute
    "RAY_gcs_rpc_server_reconnect_timeout_s": "5",  # how long Ray's agents stay after a command that was killed
}


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of the cluster.

    Attributes:
        id: Ray's.
        host: Its name.
        cores: Number of cores that Ray may use there.
    """

    id: str
    host: str
    cores: int


@contextlib.contextmanager
def connected(address: str | None, cores: int) -> Iterator[Any]:
    """Ray, connected; a connection that this process had before is used and kept.

    Args:
        address: The cluster's: ``auto``, ``HOST:PORT`` or ``ray://HOST:PORT``; None starts Ray on this machine.
        cores: Number of cores to use on this machine, if Ray is started here.

    Raises:
        HyperboleError: No cluster answers, or it is of another version.
    """
    check_installed("ray", "ray")
    os.environ.update({name: value for name, value in _QUIET.items() if name not in os.environ})
    import ray

    if ray.is_initialized():
        yield ray
        return
    here: dict[str, Any] = {"num_cpus": cores, "object_store_memory": OBJECT_STORE_BYTES, "include_dashboard": False}
    if address is None:
        os.environ.update({name: value for name, value in _LOCAL.items() if name not in os.environ})
    try:
        _knock(address)
        ray.init(address=address or "local", logging_level=logging.ERROR, **({} if address else here))
    except Exception as error:  # Ray raises errors of any class, also plain ones
        raise _unreachable(address, error) from None
    try:
        with contextlib.redirect_stdout(_WithoutReports(sys.stdout)):
            yield ray
    finally:
        ray.shutdown()


class _WithoutReports:
    """Standard output without Ray's own reports of nodes and workers that end, which are pages long."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._is_report = stream, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write what is no report; ``print`` writes the end of a line apart."""
        self._is_report = text.startswith("(raylet") or (self._is_report and text == "\n")
        return len(text) if self._is_report else self._stream.write(text)


def nodes(ray: Any) -> list[Node]:
    """The machines of the cluster that are alive and have cores for runs."""
    found = [
        Node(node["NodeID"], node["NodeManagerHostname"], int(node["Resources"].get("CPU", 0)))
        for node in ray.nodes()
        if node["Alive"]
    ]
    return sorted((node for node in found if node.cores), key=lambda node: (node.host, node.id))


def _knock(address: str | None) -> None:
    """Make sure that something listens at an address with a port; Ray itself would try for minutes.

    Raises:
        OSError: Nothing does.
    """
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER_SECONDS).close()


def _unreachable(address: str | None, error: Exception) -> HyperboleError:
    said = " ".join(str(error).split()).rstrip(".")
    if address is None:
        return HyperboleError(f"Ray could not be started on this machine ({said}).")
    if "ersion mismatch" in said:
        return SettingError(f"The Ray cluster at {address} cannot be used: {said}.")
    return SettingError(
        f"No Ray cluster answers at hydra.launcher.address={address} ({said}); start one with `ray start --head` and "
        "give its address, or leave the setting out to use this machine."
    )
