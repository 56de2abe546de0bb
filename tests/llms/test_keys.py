"""The API key: checked before it is sent, and in no file, log or sentence in any form."""

from __future__ import annotations

import base64
import html
import json
import urllib.parse
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.chat import ChatRequest, Message
from harness.errors import HyperboleError, ModelError, ServerError, SettingError
from harness.masking import MASK, hidden, without_secrets
from harness.outcome import reason
from llms.client import Client
from llms.recorder import Recorder
from llms.server.server_settings import server_settings
from llms.wire.keys import Key, read_key
from tests.support.fake_server import Answer, FakeServer, failure, reply

ASK = ChatRequest((Message("user", "hi"),))
KEY = 'sk-Sec/RET+42"x\\y&z%'


def forms(key: str) -> list[str]:
    """Ways in which programs write a text."""
    data = key.encode()
    twice = json.dumps(json.dumps(key))
    quoted = urllib.parse.quote(key, safe="")
    found = [key, repr(key), repr(data), repr(repr(key)), json.dumps(key), json.dumps(key).replace("/", "\\/"), twice]
    found += [quoted, quoted.lower(), urllib.parse.quote(quoted), urllib.parse.quote(key), urllib.parse.quote_plus(key)]
    found += [html.escape(key), html.escape(html.escape(key)), data.hex(), data.hex().upper(), key.upper()]
    found += [
        "".join(f"{mark}{byte:02x}{end}" for byte in data) for mark, end in (("\\u00", ""), ("\\x", ""), ("&#x", ";"))
    ]
    for before in ("", "a", "ab", "user:", "Bearer "):
        found += [base64.b64encode(f"{before}{key}{after}".encode()).decode() for after in ("", "x", "xy")]
        found.append(base64.urlsafe_b64encode(f"{before}{key}".encode()).decode())
    return found


def spelt(text: str) -> bool:
    """Whether a part of the key that says more than its usual beginning is left."""
    return any(part in text.lower() for part in ("sec/ret", "sec\\/ret", "sec%2fret", "ret+42", "ret%2b42", "u0052"))


@pytest.mark.parametrize("form", forms(KEY))
def test_every_form_is_hidden(form):
    shown = hidden(f"before {form} after", [KEY])
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert MASK in shown
    assert len(shown) <= len("before  after") + len(MASK) + 14


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=12, max_size=24), st.text(max_size=20))
def test_any_key_in_any_text(key, text):
    for form in forms(key):
        assert form not in hidden(f"{text}{form}{text}", [key])


@pytest.mark.parametrize("filler", ["\\", "%25", "&amp;", "s", "sk-", "0", "\\u00"])
def test_hiding_takes_no_longer_in_hostile_texts(filler):
    assert hidden(filler * 50_000, [KEY]) == filler * 50_000


BAD = ["sk-SECRET\n42", "sk-SECRET\r\n42", "sk-SEC…RET", "clé-SECRET", "sk-SECRET\t42", "Bearer sk-SECRET"]


@pytest.mark.parametrize("key", [*BAD, "sk-SECRET\x7f42", "sk-SECRET\x0042", "sk-SECRET\udcff", "sk-SECRET\u200b"])
def test_a_key_that_no_header_can_carry_is_refused_before_it_is_sent(key, monkeypatch):
    monkeypatch.setattr("os.environ", {"TINY_KEY": key})
    with FakeServer([]) as server:
        client = Client(server.url, "tiny", api_key_env="TINY_KEY")
        for use in (client.prepare, lambda: client.complete([ASK])):
            with pytest.raises(ModelError, match="TINY_KEY") as caught:
                use()
            assert "SEC" not in str(caught.value)
            assert str(caught.value).count(".") == 1
    assert server.requests == []


@pytest.mark.parametrize("space", ["\n", " ", "\r\n", "\t", "\u00a0"])
def test_white_space_around_a_key_is_nobodys(space, monkeypatch):
    monkeypatch.setenv("TINY_KEY", f"{space}sk-fine{space}")
    assert read_key("TINY_KEY", "http://x").value == "sk-fine"


@pytest.mark.parametrize("name", ["OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_CUSTOM_HEADERS"])
def test_so_are_other_variables_that_are_sent(name, monkeypatch):
    monkeypatch.setenv(name, "X: é")
    with pytest.raises(ModelError, match=name):
        Client("http://127.0.0.1:9/v1", "tiny").complete([ASK])
    monkeypatch.setenv(name, "org-1" if name != "OPENAI_CUSTOM_HEADERS" else "X-A: b c\nX-B: d")
    assert read_key(None, "http://x").variable is None


@pytest.mark.parametrize("name", ["sk-proj-SECRET", "hf_SECRETabcdefgh12345", "a b", "", 3, "gsk_SECRET0abcdefghi"])
def test_a_key_in_the_place_of_its_variable_is_not_repeated(name):
    with pytest.raises(SettingError, match=r"llm\.api_key_env") as caught:
        Client("http://127.0.0.1:9/v1", "tiny", api_key_env=name)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://me:SECRET@host/v1", "https://SECRET@host/v1", "me:SECRET@host/v1", "ftp://me:SECRET@host/v1",
        "http://me:SEC RET@host/v1", "https://host/v1?api_key=SECRET", "https://host/v1#SECRET", "http://[SECRET@",
        "http://host:99999/v1", "http://host:x/v1", "http://[::1/v1", "http://ho st/v1", "http://host\n/v1", 3,
        None, "",
    ],
)  # fmt: skip
def test_addresses_that_are_none_or_hold_a_secret(url):
    with pytest.raises(SettingError, match=r"llm\.base_url") as caught:
        Client(url, "tiny")
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings_", "name"),
    [
        ({"environment": {"HF_TOKEN": "hf_SECRET"}}, "HF_TOKEN"),
        ({"environment": {"VLLM_API_KEY": "SECRET"}}, "VLLM_API_KEY"),
        ({"extra_args": ["--api-key", "SECRET"]}, "--api-key"),
        ({"extra_args": ["--api-key=SECRET"]}, "--api-key"),
        ({"extra_args": ["--x", "--hf-token", "hf_SECRET"]}, "--hf-token"),
    ],
)
def test_secrets_of_a_server_stay_in_the_environment(settings_, name):
    with pytest.raises(SettingError, match=name) as caught:
        server_settings({"model": "m", **settings_})
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    "arguments",
    [["--max-num-batched-tokens", "2048"], ["--tokenizer", "gpt2"], ["--enable-prompt-tokens-details", "--quiet"]],
)
def test_other_arguments_are_no_secrets(arguments):
    assert server_settings({"model": "m", "extra_args": arguments}).extra_args == tuple(arguments)


def test_secrets_of_the_environment_are_in_no_sentence(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_SECRETVALUE\n42")
    monkeypatch.setenv("SHORT_TOKEN", "true")
    told = "Illegal header value b'Bearer hf_SECRETVALUE\\n42' at http://me:pw@ho@st/x; true"
    shown = "Illegal header value b'Bearer ***' at http://***@st/x; true"
    assert (without_secrets(told), str(ServerError(told))) == (shown, shown)
    assert reason(ValueError(told)) == f"ValueError: {shown}"
    assert "SECRET" not in str(ModelError("The token hf_SECRETVALUE is bad."))


def outcome(script: list[Any], folder: Any) -> tuple[Any, str]:
    """What became of one request with the key, and everything that was written down or could be shown."""
    with FakeServer(script, models=(KEY, "other")) as server:
        client = Client(server.url, "tiny", api_key_env="TINY", max_attempts=2, backoff_seconds=0.01)
        recorder = Recorder(lambda: client, folder / "calls.jsonl")
        try:
            result: Any = recorder.complete([ASK])[0]
        except HyperboleError as error:
            result = error
        shown = (folder / "calls.jsonl").read_text() + repr(client) + str(vars(client)) + f"{result!s} {result!r}"
        return result, shown


@pytest.mark.parametrize(
    "form", [KEY, json.dumps(KEY), urllib.parse.quote(KEY, safe=""), base64.b64encode(KEY.encode()).decode()]
)
@pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 429, 500])
def test_a_server_that_echoes_it_is_not_quoted(status, form, monkeypatch, tmp_path):
    monkeypatch.setenv("TINY", KEY)  # a name that says nothing
    bodies = [
        json.dumps({"error": {"message": f"bad {form}", "code": form}}),
        f"{form} <html>",
        "x" * 290 + form,
        form * 9000,
    ]
    for number, body in enumerate(bodies):
        (folder := tmp_path / str(number)).mkdir()
        final = status not in (200, 429, 500)
        answer = Answer(body.encode(), status, {"Location": f"/x?key={urllib.parse.quote(form)}", "Retry-After": "0"})
        result, shown = outcome([answer] if final else [answer, answer], folder)
        assert isinstance(result, HyperboleError)
        assert MASK in shown
        assert not spelt(shown), shown[:500]
        assert base64.b64encode(KEY.encode()).decode()[:12] not in shown


def test_a_reply_that_holds_it_is_masked_and_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("TINY", KEY)
    top = [
        {"token": part, "logprob": -1.0, "top_logprobs": [{"token": part, "logprob": -1.0}]}
        for part in ("sk-Sec/R", KEY[8:])
    ]
    messages = [
        {"content": json.dumps({"x": KEY})},
        {"content": [{"text": KEY[:9]}, {"text": KEY[9:]}]},
        {"content": "x", "reasoning": f"the key is {KEY}"},
        {"content": None, "refusal": KEY},
        {"content": "x", KEY: {"deep": [KEY]}},
    ]
    for number, message in enumerate(messages):
        choice = {"message": message, "finish_reason": "stop", "logprobs": {"content": top}}
        body = json.dumps({"choices": [choice], "usage": {"prompt_tokens": 3}}).encode()
        (folder := tmp_path / str(number)).mkdir()
        result, shown = outcome([Answer(body)], folder)
        assert json.loads((folder / "calls.jsonl").read_text())["masked"] is True
        assert not spelt(shown), shown[:500]
        assert result.usage.prompt_tokens == 3


def test_a_reply_without_it_is_as_it_came(monkeypatch, tmp_path):
    monkeypatch.setenv("TINY", "model")  # so short that it may well be a word
    result, shown = outcome([reply("the model *** says model")], tmp_path)
    assert result.text == "the model *** says model"
    assert '"masked":false' in shown


def test_errors_of_the_connection_do_not_quote_it(monkeypatch, tmp_path):
    import socket
    import threading

    monkeypatch.setenv("TINY", KEY)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for _ in range(2):
                connection, _ = listener.accept()
                connection.recv(65536)
                connection.sendall(f"HTTP/1.1 2\x00 {KEY}\r\n{KEY}\r\n\r\n".encode())
                connection.close()

        threading.Thread(target=serve, daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        client = Client(url, "tiny", api_key_env="TINY", max_attempts=2, backoff_seconds=0.01)
        with pytest.raises(ServerError) as caught:
            Recorder(lambda: client, tmp_path / "calls.jsonl").complete([ASK])
    shown = str(caught.value) + (tmp_path / "calls.jsonl").read_text()
    assert "no connection" in shown
    assert not spelt(shown)


def test_a_refused_key_of_an_unknown_model_is_not_listed_as_one(monkeypatch, tmp_path):
    monkeypatch.setenv("TINY", KEY)
    result, shown = outcome([failure(404, "The model `tiny` does not exist.")], tmp_path)
    assert "'other'" in str(result)
    assert not spelt(shown)


def test_a_key_shows_itself_to_nobody():
    key = Key("TINY", KEY)
    assert KEY not in repr(key) + str(key) + f"{[key]}"
