"""A language-model run without a reachable server: one sentence, with advice."""

from __future__ import annotations

import socket
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from tests.support.command import hyperbole, run_json, sentence

CHAT = ("optimizer=llm_chat", "benchmark=toy", "benchmark.task=branin")


@pytest.fixture
def web_page():
    """A server on a port that is not a language-model server."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(404)

        def log_message(self, *arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_port_taken_by_something_else(tmp_path, web_page):
    told = sentence(hyperbole(*CHAT, f"llm.port={web_page}", cwd=tmp_path))
    assert f"Port {web_page} is used by a program" in told
    assert f"llm.port={web_page + 1}" in told
    assert run_json(tmp_path)["status"] == "failed"
    assert run_json(tmp_path)["error"] == f"ServerError: {told}"


def test_a_model_that_is_not_there(tmp_path):
    told = sentence(hyperbole(*CHAT, f"llm.port={free_port()}", "llm.model=./nowhere", cwd=tmp_path))
    assert "./nowhere" in told


def test_an_endpoint_that_is_not_reachable(tmp_path):
    endpoint = [f"llm.base_url=http://127.0.0.1:{free_port()}/v1", "llm.api_key_env=null", "llm.max_attempts=1"]
    told = sentence(hyperbole(*CHAT, "llm=openai", *endpoint, cwd=tmp_path))
    assert "No language-model server answers" in told
    assert "make serve" in told


def test_a_key_that_is_not_set_is_named(tmp_path):
    told = sentence(hyperbole(*CHAT, "llm=openai", cwd=tmp_path, OPENAI_API_KEY=""))
    assert "OPENAI_API_KEY" in told


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["llm=openai"], "OPENAI_API_KEY"),
        (["llm=openai", "tracker=wandb"], "OPENAI_API_KEY"),
        (["-m", "llm=openai", "seed=0,1"], "OPENAI_API_KEY"),
        (["-m", "llm=openai", "seed=0,1", "hydra/launcher=joblib"], "OPENAI_API_KEY"),
        (["llm.model=./nowhere", "llm.port=8199"], "./nowhere"),
        (["llm.live=false"], "not in the recording"),
        (["llm.replay=nowhere/calls.jsonl"], "There is no file"),
        (["benchmark.task=bran"], "did you mean 'branin'"),
        (["-m", "seed=0,1", "benchmark.task=bran"], "did you mean 'branin'"),
    ],
)
def test_a_run_that_is_refused_leaves_nothing_behind(tmp_path, overrides, told):
    done = hyperbole(*CHAT, *overrides, cwd=tmp_path, OPENAI_API_KEY="")
    assert done.returncode == 2
    assert told in done.stderr
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_cannot_be_sent_is_in_no_file(tmp_path):
    told = sentence(hyperbole(*CHAT, "llm=openai", cwd=tmp_path, OPENAI_API_KEY="sk-SECRET\n42"))
    assert "OPENAI_API_KEY contains a line break" in told
    assert "SECRET" not in told
    assert not any(b"SECRET" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
