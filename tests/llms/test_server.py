"""Finding, sharing, starting and stopping a server. Small processes stand in for vLLM; see test_real_vllm for it."""

from __future__ import annotations

import concurrent.futures
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.cache import cache_folder
from harness.errors import ModelError, ServerError, SettingError
from llms.server import server
from llms.server.owners import SESSION, supervisor_pid
from llms.server.processor import Processor
from llms.server.running import read_record, served_row
from llms.server.server import ensure_server, stop_server
from llms.server.server_settings import ServerSettings
from llms.wire.health import served_models
from tests.llms.test_supervise import gone, wait_until
from tests.support.fake_server import FakeServer

ROOT = Path(__file__).parents[2]
TINY_SERVER = """
import json, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"data": [{"id": "tiny"}]}).encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers()
        self.wfile.write(body)
open(sys.argv[2], "a").write("started\\n")
time.sleep(0.5)
HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(SESSION, raising=False)


@pytest.fixture
def weights(tmp_path: Path) -> str:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "config.json").write_text("{}")
    return str(tmp_path / "weights")


@pytest.fixture
def settings(weights: str) -> ServerSettings:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return ServerSettings(weights, "tiny", probe.getsockname()[1], start_timeout_seconds=20)


def run_instead(monkeypatch: pytest.MonkeyPatch, program: str, *arguments: str) -> None:
    """Start this Python program where vLLM would be started."""
    command = [sys.executable, "-c", program]
    monkeypatch.setattr(ServerSettings, "command", lambda self, _: [*command, str(self.port), *arguments])


@pytest.fixture
def starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: ServerSettings) -> Iterator[Path]:
    """A file with a line a start of the small server that stands in for vLLM."""
    run_instead(monkeypatch, TINY_SERVER, str(tmp_path / "starts"))
    yield tmp_path / "starts"
    pid = supervisor_pid(settings.owners)
    stop_server(settings)
    wait_until(lambda: pid is None or gone(pid))
    assert served_models(settings.url) is None


def test_server_that_is_there_is_used_and_left_alone(weights):
    with FakeServer([], models=("other", "tiny")) as fake:
        settings = ServerSettings(weights, "tiny", fake.port)
        assert ensure_server(settings) == fake.url
        stop_server(settings)
        assert served_models(fake.url) == ["other", "tiny"]


def test_server_with_another_model_names_both(weights):
    with FakeServer([], models=("large",)) as fake, pytest.raises(ModelError, match=r"'tiny'.*'large'") as caught:
        ensure_server(ServerSettings(weights, "tiny", fake.port))
    assert "llm.port" in str(caught.value)


@pytest.mark.parametrize("answer", [b"HTTP/1.0 404 no\r\n\r\n", b"HTTP/1.0 200 ok\r\n\r\nhello", b"\xff\x00 what?\r\n"])
def test_port_taken_by_something_else(answer, weights):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def talk() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        threading.Thread(target=talk, daemon=True).start()
        with pytest.raises(ServerError, match=rf"{port} is used.*llm\.port={port + 1}"):
            ensure_server(ServerSettings(weights, "tiny", port))


def test_started_once_for_all_who_ask(settings, starts):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        urls = list(pool.map(ensure_server, [settings] * 4))
    assert urls == [settings.url] * 4
    assert starts.read_text() == "started\n"
    stop_server(settings)
    assert served_models(settings.url) is None
    assert ensure_server(settings) == settings.url  # and again after its end
    assert starts.read_text() == "started\n" * 2


def test_ends_with_the_process_that_asked(settings, starts):
    program = (
        "import sys; from llms.server.server import *; from llms.server.server_settings import *;"
        f"run = [sys.executable, '-c', {TINY_SERVER!r}]; mark = {str(starts)!r};"
        "ServerSettings.command = lambda self, _: [*run, str(self.port), mark];"
        f"ensure_server(ServerSettings({settings.model!r}, 'tiny', {settings.port})); print('up', flush=True);"
        "import time; time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) as asker:
        assert asker.stdout is not None
        assert asker.stdout.readline() == "up\n"
        supervisor = supervisor_pid(settings.owners)
        assert supervisor is not None
        assert served_models(settings.url) == ["tiny"]
        asker.send_signal(signal.SIGKILL)
        wait_until(lambda: gone(supervisor))
    assert served_models(settings.url) is None
    assert not settings.owners.exists()


def test_second_session_keeps_the_server(settings, starts, monkeypatch):
    ensure_server(settings)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        monkeypatch.setenv(SESSION, f"{socket.gethostname()}:{other.pid}")
        ensure_server(settings)
        monkeypatch.delenv(SESSION)
        stop_server(settings)  # the first session is done
        time.sleep(1.0)
        assert served_models(settings.url) == ["tiny"]
        supervisor = supervisor_pid(settings.owners)
        assert supervisor is not None
    wait_until(lambda: gone(supervisor))
    assert starts.read_text() == "started\n"


def test_server_with_other_settings_is_named_and_left_running(settings, starts):
    ensure_server(replace(settings, dtype="float32", max_model_len=4096))
    with pytest.raises(ServerError) as caught:
        ensure_server(replace(settings, dtype="bfloat16", max_model_len=8192))
    (sentence,) = str(caught.value).splitlines()
    assert "has dtype float32, max_model_len 4096, but" in sentence
    assert "wants dtype bfloat16, max_model_len 8192;" in sentence
    assert f"llm.port={settings.port + 1}" in sentence
    assert "a separate command" in sentence, "both were asked for by this process"
    assert served_models(settings.url) == ["tiny"]
    assert ensure_server(replace(settings, dtype="float32", max_model_len=4096)) == settings.url
    assert starts.read_text() == "started\n"


def test_server_with_other_settings_for_another_session_names_its_process(settings, starts, monkeypatch):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        monkeypatch.setenv(SESSION, f"{socket.gethostname()}:{other.pid}")
        ensure_server(settings)
        monkeypatch.delenv(SESSION)
        with pytest.raises(ServerError, match=rf"it ends then \(process {other.pid}\)"):
            ensure_server(replace(settings, structured_outputs="xgrammar"))


def test_a_server_nobody_needs_any_longer_gives_way_to_one_with_other_settings(settings, starts, monkeypatch):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        monkeypatch.setenv(SESSION, f"{socket.gethostname()}:{other.pid}")
        ensure_server(replace(settings, dtype="float32"))
        other.kill()
        other.wait()
        monkeypatch.delenv(SESSION)
        ensure_server(replace(settings, dtype="bfloat16"))
    assert read_record(settings)["dtype"] == "bfloat16"
    assert starts.read_text() == "started\n" * 2


def test_one_start_for_all_that_want_another_than_the_one_that_ends(settings, starts, monkeypatch):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        monkeypatch.setenv(SESSION, f"{socket.gethostname()}:{other.pid}")
        ensure_server(replace(settings, dtype="float32"))
        other.kill()
        other.wait()
        monkeypatch.delenv(SESSION)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(ensure_server, [replace(settings, dtype="bfloat16")] * 4))
    assert starts.read_text() == "started\n" * 2


def test_what_was_chosen_is_said_and_on_record(settings, starts, monkeypatch, capsys):
    monkeypatch.setattr("llms.server.serving.this_processor", lambda: Processor(frozenset({"avx2"}), 2, 2))
    monkeypatch.setattr("llms.server.serving.runs_on_cpu", lambda: True)
    ensure_server(settings)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    for part in ("tiny", settings.url, "dtype float32", "no bfloat16 instructions", str(settings.log)):
        assert part in said
    row = served_row(settings)
    assert row["dtype"] == "float32"
    assert row["why"] in settings.log.read_text().splitlines()[0]
    ensure_server(settings)
    assert capsys.readouterr().err == ""


def test_the_chosen_dtype_is_the_servers(settings, weights, monkeypatch):
    monkeypatch.setattr("llms.server.serving.this_processor", lambda: Processor(frozenset({"avx2"}), 64, 2))
    monkeypatch.setattr("llms.server.serving.runs_on_cpu", lambda: True)
    launched = []
    monkeypatch.setattr(server, "_launch", lambda serving, command: launched.append((serving.environment, command)))
    monkeypatch.setattr(server, "_wait_until_healthy", lambda settings: None)
    ensure_server(settings)
    ((environment, command),) = launched
    assert command[command.index("--dtype") + 1] == "float32"
    assert environment["OMP_NUM_THREADS"] == "1"


def test_a_strangers_server_is_used_as_far_as_it_says_and_a_session_is_told_once(weights, capsys):
    with FakeServer([], models=("tiny",)) as fake:
        for _ in range(2):
            ensure_server(ServerSettings(weights, "tiny", fake.port, dtype="float32"))
        said = capsys.readouterr().err
        assert said.count("was not started by Hyperbole: its dtype") == 1
        assert served_row(ServerSettings(weights, "tiny", fake.port)) is None


def test_a_strangers_server_with_another_context_length_is_not_used(weights):
    with FakeServer([], models=("tiny",), details={"max_model_len": 2048, "root": weights}) as fake:
        assert ensure_server(ServerSettings(weights, "tiny", fake.port)) == fake.url
        assert ensure_server(ServerSettings(weights, "tiny", fake.port, max_model_len=2048)) == fake.url
        with pytest.raises(ServerError, match=r"has max_model_len 2048, .* wants max_model_len 4096; .*llm=openai"):
            ensure_server(ServerSettings(weights, "tiny", fake.port, max_model_len=4096))


def test_a_strangers_server_with_other_weights_of_the_same_name_is_not_used(weights):
    with FakeServer([], models=("tiny",), details={"root": "/elsewhere"}) as fake, pytest.raises(ServerError) as caught:
        ensure_server(ServerSettings(weights, "tiny", fake.port))
    assert f"has model /elsewhere, but the configuration wants model {weights}" in str(caught.value)


def test_server_that_dies_shows_its_last_lines(settings, monkeypatch):
    run_instead(monkeypatch, "import sys; [print('line', i) for i in range(40)]; sys.exit('no memory')")
    with pytest.raises(ServerError) as caught:
        ensure_server(settings)
    sentence, *tail = str(caught.value).splitlines()
    assert str(settings.log) in sentence
    assert len(tail) == 15
    assert tail[-1] == "no memory"
    assert str(settings.log).startswith(str(cache_folder()))


def test_server_that_never_answers_is_ended(weights, settings, monkeypatch, tmp_path):
    mark = tmp_path / "pid"
    run_instead(
        monkeypatch, "import os, sys, time; open(sys.argv[2], 'w').write(str(os.getpid())); time.sleep(60)", str(mark)
    )
    slow = ServerSettings(weights, "tiny", settings.port, start_timeout_seconds=1)
    with pytest.raises(ServerError, match=r"llm\.start_timeout_seconds"):
        ensure_server(slow)
    wait_until(lambda: gone(int(mark.read_text())))


def test_port_bound_without_an_answer(settings):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", settings.port))
        with pytest.raises(ServerError, match=rf"Port {settings.port} cannot be used.*llm\.port"):
            ensure_server(settings)


def test_without_vllm(settings, monkeypatch):
    monkeypatch.setattr(server, "find_spec", lambda name: None)
    with pytest.raises(ServerError, match="make run"):
        ensure_server(settings)


@pytest.mark.parametrize("port", [0, 70000, "8077", True])
def test_impossible_ports(port):
    with pytest.raises(SettingError, match="port"):
        ServerSettings("m", port=port)


def test_command_says_what_the_settings_say():
    settings = ServerSettings(
        "Qwen/Q",
        port=9000,
        max_model_len=1024,
        tensor_parallel_size=2,
        gpu_memory_utilization=0.5,
        extra_args=("--seed", "1"),
    )
    text = " ".join(settings.command("/weights"))
    for part in (
        "-m vllm.entrypoints.openai.api_server",
        "--model /weights",
        "--served-model-name Qwen/Q",
        "--host 127.0.0.1 --port 9000",
        "--max-model-len 1024",
        "--tensor-parallel-size 2",
        "--gpu-memory-utilization 0.5",
        "--enable-prompt-tokens-details",
        "--generation-config vllm",
    ):
        assert part in text
    assert text.endswith("--seed 1")
    assert "--enforce-eager" not in text


def test_environment_of_the_server(settings, monkeypatch, tmp_path):
    program = TINY_SERVER.replace('"started\\n"', '__import__("os").environ["TINY_SETTING"]')
    run_instead(monkeypatch, program, str(tmp_path / "starts"))
    told = ServerSettings(settings.model, "tiny", settings.port, environment={"TINY_SETTING": "4"})
    try:
        ensure_server(told)
        assert (tmp_path / "starts").read_text() == "4"
    finally:
        stop_server(told)


def test_health_of_a_port_nobody_listens_on(settings):
    assert served_models(settings.url) is None


def test_health_ignores_proxies(weights, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with FakeServer([], models=("tiny",)) as fake:
        assert served_models(fake.url) == ["tiny"]


def test_serve_prints_the_url_and_stops_at_ctrl_c(weights, tmp_path, settings):
    program = (
        "import sys; from llms import serve; from llms.server.server_settings import *;"
        f"run = [sys.executable, '-c', {TINY_SERVER!r}]; mark = {str(tmp_path / 'starts')!r};"
        "ServerSettings.command = lambda self, _: [*run, str(self.port), mark];"
        f"sys.argv = ['serve', 'port={settings.port}', 'model={weights}', 'served_name=tiny']; sys.exit(serve.main())"
    )
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) as serve:
        assert serve.stdout is not None
        assert re.search(re.escape(settings.url), serve.stdout.readline())
        assert served_models(settings.url) == ["tiny"]
        serve.send_signal(signal.SIGINT)
        assert serve.wait(timeout=20) == 0
    assert served_models(settings.url) is None


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--llm", "smollm"], "smollm2_135m"),
        (["prot=1"], "llm.port"),
        (["--llm", "openai"], "vllm"),
        (["model=/none"], "/none"),
    ],
)
def test_serve_answers_mistakes_with_a_sentence(arguments, named):
    done = subprocess.run(
        [sys.executable, "-m", "llms.serve", *arguments], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert named in done.stderr
