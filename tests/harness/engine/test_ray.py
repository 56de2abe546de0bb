"""``hydra/launcher=ray`` on a cluster of two nodes on this machine: nodes, servers and commands that end."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from threading import Event

import pytest

from harness.call_log import read_calls
from harness.engine.ray_pool import RayPool
from harness.errors import RunError
from harness.job import Job
from tests.harness.engine.test_sweep_command import SLOW, logs, records, until
from tests.support.command import hyperbole
from tests.support.fake_server import Answer, AnsweringServer, reply

pytestmark = pytest.mark.slow
os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_raylet_start_wait_time_s="300")
PATIENCE_SECONDS = 240
"""For a machine on which much else runs."""
MEMORY = {"object_store_memory": 80 * 1024**2}
DEADLY = """
import os
import signal

from benchmarks.toy import Toy


class Deadly(Toy):
    def evaluate(self, params, fidelity, seed):
        if seed == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().evaluate(params, fidelity, seed)
"""


@pytest.fixture(scope="module")
def cluster():
    """Two nodes of a core each: a head, and one that tests may take away; what they take away is given back."""
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False, **MEMORY})
    yield made
    made.shutdown()


@pytest.fixture
def second(cluster):
    """The cluster's second node."""
    return next(iter(cluster.worker_nodes), None) or cluster.add_node(num_cpus=1, **MEMORY)


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    """Overrides of two benchmarks, one slow and one that ends its process for seed 1, and the environment with them."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "conf/benchmark").mkdir(parents=True)
    for name, code in {"slow": SLOW, "deadly": DEADLY}.items():
        (folder / f"conf/benchmark/{name}.yaml").write_text(f"_target_: {name}_toy.{name.title()}\ntask: branin\n")
        (folder / f"{name}_toy.py").write_text(code)
    return [f"hydra.searchpath=[{folder / 'conf'}]", "tracker=none"], {"PYTHONPATH": str(folder)}


def answer(body: dict) -> Answer:
    """A configuration that depends on the request alone, after a while."""
    digest = hashlib.sha256(json.dumps([body["messages"], body.get("seed")]).encode()).digest()
    said = reply(json.dumps({"x1": round(digest[0] / 17 - 5, 3), "x2": round(digest[1] / 17, 3), "surface": "smooth"}))
    said.delay_seconds = 0.15
    return said


def start(cluster, cwd, *overrides, **environment):
    command = [sys.executable, "-m", "harness.run", "-m", *overrides]
    launcher = ["hydra/launcher=ray", f"hydra.launcher.address={cluster.address}"]
    return subprocess.Popen(
        [*command, *launcher], cwd=cwd, env=os.environ | environment, stderr=subprocess.PIPE, text=True
    )


def holders(folder: Path, method: str = "*"):
    """Process ids of the workers that have runs."""
    texts = [path.read_text() for path in folder.glob(f"runs/*/*/{method}/*/.lock")]
    return [json.loads(text)["pid"] for text in texts if text]


def test_no_trial_is_lost_or_doubled_when_a_server_and_a_node_are_killed(cluster, second, tmp_path):
    there, alone = tmp_path / "there", tmp_path / "alone"
    there.mkdir()
    alone.mkdir()
    settings = ["benchmark=toy", "benchmark.task=branin", "tracker=none", "budget.proposals=8", "seed=0,1,2,3,4,5"]
    settings += ["optimizer=llm_chat,random_search", "llm=openai", "llm.model=tiny", "llm.api_key_env=null"]
    settings += ["llm.backoff_seconds=0.05", "~hydra.callbacks.record"]
    gate = Event()

    def held(body: dict) -> Answer:
        gate.wait(PATIENCE_SECONDS)
        return answer(body)

    def workers_with_runs():
        return set(holders(there, "llm_chat*"))

    with AnsweringServer(held) as one, AnsweringServer(held) as other:
        process = start(cluster, there, *settings, f"llm.base_url=[{one.url},{other.url}]")
        until(lambda: len(workers_with_runs()) == 2, PATIENCE_SECONDS)  # one on each node
        gate.set()
        until(lambda: one.answered + other.answered >= 10, PATIENCE_SECONDS)
        gate.clear()
        victim = max(one, other, key=lambda server: server.answered)
        victim.kill()
        cluster.remove_node(second, allow_graceful=False)
        gate.set()
        _, told = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, told
    with AnsweringServer(answer) as server:
        done = hyperbole("-m", *settings, f"llm.base_url={server.url}", cwd=alone)
        assert done.returncode == 0, done.stderr
    found, expected = records(there), records(alone)
    assert len(found) == 12
    for place, (_, rows) in expected.items():
        assert [{**row, "usage": None} for row in found[place][1]] == [{**row, "usage": None} for row in rows]
    assert "its worker on" in told
    servers = Counter()
    for path in there.glob("runs/*/*/llm_chat*/*/calls.jsonl"):
        asked = [call["server"] for call in read_calls(path) if call["id"] is not None]
        assert re.fullmatch("(a*b*|b*)", "".join("a" if server == victim.url else "b" for server in asked)), asked
        servers.update(asked)
    assert 0 < servers[victim.url] <= victim.answered
    assert servers.total() == 48


def test_a_run_that_ends_its_worker_fails_alone(cluster, second, outside, tmp_path):
    overrides, environment = outside
    process = start(
        cluster, tmp_path, *overrides, "benchmark=deadly", "seed=0,1,2,3", "budget.proposals=3", **environment
    )
    _, told = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 2
    assert told.count("the run is back in the queue") == 2
    assert "/1: its worker ended, the last of 3 times on " in told
    assert "Traceback" not in told
    assert [run["status"] for run, _ in records(tmp_path).values()] == ["complete", "running", "complete", "complete"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_their_command_and_the_same_command_resumes(cluster, second, outside, tmp_path, number):
    overrides, environment = outside
    settings = [*overrides, "benchmark=slow", "seed=0,1", "budget.proposals=8"]
    process = start(cluster, tmp_path, *settings, **environment)
    until(lambda: len(logs(tmp_path)) == 2, PATIENCE_SECONDS)
    pids = holders(tmp_path)
    process.send_signal(number)
    process.communicate(timeout=PATIENCE_SECONDS)
    until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), PATIENCE_SECONDS)
    before = [path.read_text() for path in sorted(logs(tmp_path))]
    assert hyperbole("-m", *settings, cwd=tmp_path, **environment).returncode == 0
    for path, text in zip(sorted(logs(tmp_path)), before, strict=True):
        assert path.read_text().startswith(text[: text.rfind("\n") + 1])
        assert [json.loads(line)["index"] for line in path.read_text().splitlines()] == list(range(8))
    assert not list(tmp_path.glob("runs/*/.sweep/*.sign")) or number is signal.SIGKILL


def test_machines_that_do_not_share_the_folder_are_refused(cluster, second, tmp_path, monkeypatch, capfd):
    from contextlib import contextmanager

    @contextmanager
    def elsewhere(experiment: Path):
        yield experiment / ".sweep" / "nowhere.sign"

    monkeypatch.setattr("harness.engine.ray_pool.shown", elsewhere)
    job = Job(tmp_path / "runs", "x/toy.branin/random_search/0", {"llm": None}, {})
    with pytest.raises(RunError, match=r"No node of the Ray cluster can run anything in .*; see above for why"):
        list(RayPool(4, None, cluster.address, 1).results([(0, job)]))
    told = capfd.readouterr().err
    assert f"is not used: it does not see {tmp_path}/runs/x; all machines must share it at this path" in told
    assert not (tmp_path / "runs").exists()
