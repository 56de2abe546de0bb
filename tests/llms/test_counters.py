"""The server's own counters: what their page says, what is between two readings, and who is asked."""

from __future__ import annotations

import socket
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from harness.errors import ServerError
from llms.server.counters import (
    NAMES,
    NOTHING,
    Counters,
    ServerMeter,
    base_urls,
    difference,
    parse_counters,
    read_counters,
)

PAGE = """\
# HELP vllm:prompt_tokens_total Number of prefill tokens processed.
# TYPE vllm:prompt_tokens_total counter
vllm:prompt_tokens_total{{engine="0",model_name="tiny"}} {prompt}.0
vllm:prompt_tokens_total{{engine="1",model_name="tiny"}} 5.0
# HELP vllm:prompt_tokens_created Number of prefill tokens processed.
# TYPE vllm:prompt_tokens_created gauge
vllm:prompt_tokens_created{{engine="0",model_name="tiny"}} {since}
# TYPE vllm:prompt_tokens_cached_total counter
vllm:prompt_tokens_cached_total{{engine="0",model_name="tiny"}} 99.0
# TYPE vllm:generation_tokens_total counter
vllm:generation_tokens_total{{engine="0",model_name="tiny"}} 1.2e+06
# TYPE vllm:prefix_cache_queries_total counter
vllm:prefix_cache_queries_total{{engine="0",model_name="tiny"}} 40.0
# TYPE vllm:prefix_cache_hits_total counter
vllm:prefix_cache_hits_total{{engine="0",model_name="tiny"}} 16.0
# TYPE vllm:request_success_total counter
vllm:request_success_total{{engine="0",finished_reason="stop",model_name="tiny"}} 2.0
vllm:request_success_total{{engine="0",finished_reason="length",model_name="tiny"}} 1.0
"""


def page(prompt=40, since=1.75e9):
    return PAGE.format(prompt=prompt, since=since)


class Metrics:
    """Serves one page; ``text`` None answers 404."""

    def __init__(self, text):
        self.text, self.paths = text, []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(handler):
                self.paths.append(handler.path)
                body = (self.text or "").encode()
                handler.send_response(404 if self.text is None else 200)
                handler.send_header("Content-Length", str(len(body)))
                handler.end_headers()
                handler.wfile.write(body)

            def log_message(self, *_):
                pass

        self._http = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._http.server_port
        self.url = f"http://127.0.0.1:{self.port}/v1"
        Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self):
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def serve():
    servers = []

    def start(text):
        servers.append(Metrics(text))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_engines_and_ways_to_end_add_up():
    found = parse_counters(page())
    assert found.values == {
        "prompt_tokens": 45,
        "generation_tokens": 1_200_000,
        "prefix_cache_queries": 40,
        "prefix_cache_hits": 16,
        "requests": 3,
    }
    assert found.since == 1.75e9


@pytest.mark.parametrize(
    "text", ["", "<html>hello</html>", page().replace("vllm:prefix_cache_hits_total", "other_total")]
)
def test_another_page_is_none(text):
    with pytest.raises(ValueError):  # noqa: PT011 (the parser's words are its own)
        parse_counters(text)


def test_who_answers_where(serve):
    server = serve(page())
    assert read_counters(server.url).values["requests"] == 3
    assert server.paths == ["/metrics"]
    assert read_counters(f"http://127.0.0.1:{free_port()}/v1") is None
    for text in (None, "<html>", "vllm:nothing 3\n"):
        with pytest.raises(ServerError, match="/metrics cannot be read"):
            read_counters(serve(text).url)
    with pytest.raises(ServerError, match="plain HTTP"):
        read_counters("https://api.openai.com/v1")


def test_the_difference_of_two_readings():
    one, two = Counters(dict.fromkeys(NAMES, 5), 1.0), Counters(dict.fromkeys(NAMES, 7), 1.0)
    assert difference(one, two) == (dict.fromkeys(NAMES, 2), None)
    assert difference(NOTHING, two) == (dict.fromkeys(NAMES, 7), None), "a run started the server"
    for before, after in ((two, one), (one, Counters(two.values, 2.0)), (two, Counters(one.values))):
        assert difference(before, after) == (None, "The server was restarted meanwhile.")
    assert difference(ServerError("why"), two) == difference(one, ServerError("why")) == (None, "why")


@pytest.mark.parametrize(
    ("llm", "urls"),
    [
        ({"port": 8077, "model": "tiny"}, ["http://127.0.0.1:8077/v1"]),
        ({"base_url": "http://gpu7:8000/v1/"}, ["http://gpu7:8000/v1"]),
        ({"base_url": ["http://gpu7:8000/v1/", "http://gpu8/v1"]}, ["http://gpu7:8000/v1", "http://gpu8/v1"]),
        ({"port": 8077, "live": False}, []),
        ({}, []),
    ],
)
def test_who_is_asked(llm, urls):
    assert base_urls(llm) == urls


USED, UNUSED = [{"llm": "smollm2"}, {"llm": None}], [{"llm": None}]


def metered(server, change, runs):
    meter = ServerMeter()
    meter.start({"llm": {"port": server if isinstance(server, int) else server.port, "model": "tiny"}})
    change()
    return meter.stop(runs)


def test_a_meter_counts_what_was_counted_meanwhile(serve):
    server = serve(page(prompt=40))
    line = metered(server, lambda: setattr(server, "text", page(prompt=50)), USED)
    assert (line["url"], line["model"], line["reason"]) == (server.url, "tiny", None)
    assert line["counters"] == dict.fromkeys(NAMES, 0) | {"prompt_tokens": 10}


def test_a_server_that_is_started_meanwhile_counts_from_zero(serve):
    meter = ServerMeter()
    meter.start({"llm": {"port": free_port(), "model": "tiny"}})
    meter._urls = [serve(page()).url]
    assert meter.stop(USED)["counters"]["requests"] == 3


@pytest.mark.parametrize(
    ("text", "told"), [(page(since=1.76e9), "restarted"), (page(prompt=1), "restarted"), (None, "HTTP 404")]
)
def test_what_a_meter_lost_it_says(serve, text, told):
    server = serve(page())
    line = metered(server, lambda: setattr(server, "text", text), USED)
    assert line["counters"] is None
    assert told in line["reason"]


def test_a_server_that_has_ended():
    assert "had ended" in metered(free_port(), lambda: None, USED)["reason"]


def test_a_command_without_a_model_has_no_server(serve):
    assert metered(serve(page()), lambda: None, UNUSED) is None
    for config in ({}, {"llm": None}, {"llm": {"model": "odd"}}):
        meter = ServerMeter()
        meter.start(config)
        assert meter.stop(USED) is None


def test_counters_of_several_servers_are_added(serve):
    one, other = serve(page(prompt=40)), serve(page(prompt=7))
    meter = ServerMeter()
    meter.start({"llm": {"base_url": [one.url, other.url], "model": "tiny"}})
    one.text, other.text = page(prompt=50), page(prompt=8)
    line = meter.stop(USED)
    assert (line["url"], line["reason"]) == (f"{one.url} {other.url}", None)
    assert line["counters"] == dict.fromkeys(NAMES, 0) | {"prompt_tokens": 11}


def test_counters_of_several_servers_are_unknown_if_those_of_one_are(serve):
    one, other = serve(page()), serve(page())
    meter = ServerMeter()
    meter.start({"llm": {"base_url": [one.url, other.url], "model": "tiny"}})
    other.text = None
    line = meter.stop(USED)
    assert line["counters"] is None
    assert line["reason"].startswith(f"{other.url}: ")
