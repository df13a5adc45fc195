"""Parameters: from path, query and body, merged."""

import json

import pytest

from anabranch_server.deltacloud.call import Call
from anabranch_server.deltacloud.parameters import Parameters, read_parameters
from anabranch_server.problems import Problem

FORM = "application/x-www-form-urlencoded"


def call(body: bytes = b"", *, kind: str = "", method: str = "POST", path: str = "/api/x") -> Call:
    plain, _, query = path.partition("?")
    sent = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive():
        return sent.pop()

    scope = {
        "method": method,
        "path": plain,
        "raw_path": plain.encode(),
        "query_string": query.encode(),
        "headers": [(b"content-type", kind.encode())] if kind else [],
    }
    return Call(scope, receive)


async def test_the_query_of_a_post_counts():
    parameters = await read_parameters(call(path="/api/instances?image_id=img1&name=a%26b"))
    assert dict(parameters) == {"image_id": "img1", "name": "a&b"}


async def test_the_body_overrides_the_query_and_that_the_path():
    parameters = await read_parameters(
        call(b"a=body", kind=FORM, path="/api/x;a=path;b=path;c=path?a=query&b=query")
    )
    assert dict(parameters) == {"a": "body", "b": "query", "c": "path"}


@pytest.mark.parametrize("kind", [FORM, f"{FORM}; charset=UTF-8", ""])
async def test_a_form_is_read_whatever_its_type_says(kind):
    assert dict(await read_parameters(call(b"a=1+2&b=%C3%A9", kind=kind))) == {"a": "1 2", "b": "é"}


async def test_empty_parameters_are_not_given():
    assert dict(await read_parameters(call(b"a=&b=1", kind=FORM))) == {"b": "1"}


async def test_method_in_a_form_overrides():
    deleting = call(b"_method=delete", kind=FORM)
    await read_parameters(deleting)
    assert deleting.method == "DELETE"


async def test_method_in_a_get_does_not():
    reading = call(method="GET", path="/api/x?_method=delete")
    await read_parameters(reading)
    assert reading.method == "GET"


async def test_a_json_object_is_parameters():
    body = {"a": "x", "n": 3, "f": 1.5, "yes": True, "no": False, "nothing": None}
    body |= {"firewalls": ["a", "b"], "tags": {"role": "web", "n": 1}}
    assert dict(
        await read_parameters(call(json.dumps(body).encode(), kind="application/json"))
    ) == {
        "a": "x",
        "n": "3",
        "f": "1.5",
        "yes": "true",
        "no": "false",
        "firewalls1": "a",
        "firewalls2": "b",
        "tags1": "role=web",
        "tags2": "n=1",
    }


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{", "no JSON object"),
        (b"[1]", "no JSON object"),
        (b'"\xff"', "no JSON object"),
        (b'{"a": [[1]]}', "parameter 'a'"),
        (b'{"a": {"b": {}}}', "parameter 'a'"),
    ],
)
async def test_other_json_is_refused(body, told):
    with pytest.raises(Problem) as caught:
        await read_parameters(call(body, kind="application/json"))
    assert caught.value.status == 400
    assert told in caught.value.message


@pytest.mark.parametrize("kind", ["application/xml", "text/plain"])
async def test_other_bodies_are_refused(kind):
    with pytest.raises(Problem) as caught:
        await read_parameters(call(b"<instance/>", kind=kind))
    assert caught.value.status == 415


async def test_a_form_that_is_no_utf8_is_refused():
    with pytest.raises(Problem) as caught:
        await read_parameters(call(b"a=\xff", kind=FORM))
    assert caught.value.status == 400


async def test_a_body_that_breaks_off_is_not_acted_upon():
    broken = call()
    sent = [
        {"type": "http.disconnect"},
        {"type": "http.request", "body": b"name=a", "more_body": True},
    ]

    async def receive():
        return sent.pop()

    broken.receive = receive
    with pytest.raises(Problem):
        await read_parameters(broken)


async def test_a_body_has_its_limit():
    with pytest.raises(Problem) as caught:
        await read_parameters(call(b"a=" + bytes(16 * 1024 * 1024), kind=FORM))
    assert caught.value.status == 400


async def test_a_file_of_a_form_is_a_parameter():
    body = (
        b'--B\r\nContent-Disposition: form-data; name="name"\r\n\r\na\r\n'
        b'--B\r\nContent-Disposition: form-data; name="public_key"; filename="id.pub"\r\n\r\n'
        b"ssh-rsa x\r\n"
        b'--B\r\nContent-Disposition: form-data; name="iso"; filename="x"\r\n\r\n\xff\x00\r\n'
        b"--B--\r\n"
    )
    found = await read_parameters(call(body, kind="multipart/form-data; boundary=B"))
    assert found["name"] == "a"
    assert found.text("public_key") == "ssh-rsa x"
    assert found.files["iso"] == b"\xff\x00"
    with pytest.raises(Problem, match="'iso'"):
        found.text("iso")


def test_a_series_is_in_the_order_of_its_numbers():
    given = {
        "g10": "c",
        "g2": "b",
        "g": "a",
        "g0": "a",
        "g02": "-",
        "gx": "-",
        "g2owner": "-",
        "og1": "-",
        "g٣": "-",
    }
    assert dict(Parameters(given).numbered("g{}")) == {-1: "g", 0: "g0", 2: "g2", 10: "g10"}
    assert dict(Parameters(given).numbered("g{}owner")) == {2: "g2owner"}


def test_values_are_not_shown():
    assert "secret" not in repr(Parameters({"password": "secret"}))


@pytest.mark.parametrize("text", ["", "1.5", "x", "1_000", "٣", "9" * 16, "0x10"])
def test_what_is_no_whole_number_is_refused(text):
    parameters = Parameters({"n": text})
    if not text:
        assert parameters.number("n") is None
        return
    with pytest.raises(Problem, match="whole number"):
        parameters.number("n")


@pytest.mark.parametrize(
    ("text", "on"),
    [
        *((text, True) for text in ("true", "on", "1", "metrics", "Yes")),
        *((text, False) for text in ("false", "No", "0", "OFF")),
    ],
)
def test_flags(text, on):
    assert Parameters({"metrics": text}).flag("metrics") is on
    assert Parameters({}).flag("metrics") is False
