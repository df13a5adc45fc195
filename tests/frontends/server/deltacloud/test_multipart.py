"""Forms with files: read piece by piece, and only as far as is needed."""

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anabranch_server.deltacloud import body, multipart
from anabranch_server.deltacloud.body import Body, ClientGone
from anabranch_server.deltacloud.call import Call
from anabranch_server.deltacloud.multipart import read_form
from anabranch_server.problems import Problem

BOUNDARY = "XyZ"


def part(name, content=b"", filename=None, content_type=None):
    file = "" if filename is None else f'; filename="{filename}"'
    kind = "" if content_type is None else f"\r\nContent-Type: {content_type}"
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}{kind}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def form(*parts):
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def call(pieces, *, gone=False, content_type=f"multipart/form-data; boundary={BOUNDARY}"):
    """A request whose body comes in these pieces, and then, perhaps, nobody is there any more."""
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    if gone:
        messages.append({"type": "http.disconnect"})
    else:
        messages.append({"type": "http.request", "body": b""})
    arriving = iter(messages)
    taken = []

    async def receive():
        await anyio.lowlevel.checkpoint()
        message = next(arriving)
        taken.append(message)
        return message

    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": "/api/buckets/b",
        "raw_path": b"/api/buckets/b",
        "query_string": b"",
        "headers": [(b"content-type", content_type.encode())],
    }
    made = Call(scope, receive)
    return made, taken


def cut(data, size):
    return [data[start : start + size] for start in range(0, len(data), size)]


async def whole(content):
    return b"".join([chunk async for chunk in content])


@pytest.mark.parametrize("size", [1, 2, 7, 64, 4096])
async def test_fields_and_files_however_they_are_cut(size):
    sent = form(
        part("a", b"1"),
        part("name", "\u00e9\r\n--XyY".encode()),
        part("empty"),
        part("iso", b"\0\xff", filename="a.iso", content_type="application/x-iso"),
        part("none", filename=""),
    )
    request, _ = call(cut(sent, size))
    fields, upload, files = await read_form(request)
    assert fields == {"a": "1", "name": "\u00e9\r\n--XyY", "empty": "", "none": ""}
    assert files == {"iso": b"\0\xff"}
    assert upload is None


async def test_a_file_is_read_when_it_is_asked_for_and_what_follows_it_before_its_end():
    content = bytes(range(256)) * 4096
    sent = form(
        part("blob_id", b"x"),
        part("blob_data", content, filename="f", content_type="image/png; q=1"),
        part("meta_name1", b"k"),
    )
    request, taken = call(cut(sent, 1000))
    fields, upload, _ = await read_form(request, streamed="blob_data")
    assert (fields, upload.content_type, len(taken)) == ({"blob_id": "x"}, "image/png", 1)
    chunks = upload.content()
    first = await anext(chunks)
    assert content.startswith(first)
    assert len(taken) <= 2
    assert first + await whole(chunks) == content
    assert upload.fields == {"blob_id": "x", "meta_name1": "k"}


async def test_a_file_that_is_kept_gives_way_to_the_fields_after_it():
    content = b"0123456789abcdef" * 200_000  # more than stays in memory
    sent = form(part("blob_data", content, filename="f"), part("blob_id", b"late"))
    request, _ = call(cut(sent, 65_536))
    fields, upload, _ = await read_form(request, streamed="blob_data")
    assert not fields
    async with upload:
        await upload.keep()
        assert upload.fields == {"blob_id": "late"}
        assert await whole(upload.content()) == content


async def test_a_kept_file_is_bounded(monkeypatch):
    monkeypatch.setattr(multipart, "_MOST_SPOOLED", 99)
    request, _ = call([form(part("blob_data", b"x" * 100, filename="f"))])
    _, upload, _ = await read_form(request, streamed="blob_data")
    async with upload:
        with pytest.raises(Problem) as caught:
            await upload.keep()
    assert caught.value.status == 400
    assert "fields first" in caught.value.remedy


async def test_fields_are_bounded_together(monkeypatch):
    monkeypatch.setattr(multipart, "_MOST", 99)
    request, taken = call([part("a", b"x" * 60), part("b", b"x" * 60), b"never asked for"])
    with pytest.raises(Problem) as caught:
        await read_form(request)
    assert caught.value.status == 400
    assert len(taken) == 2


@pytest.mark.parametrize(
    ("sent", "content_type"),
    [
        (form(part("a"))[:-10], None),
        (b"", None),
        (b"no form at all\r\n", None),
        (part("a", b"\xff") + b"--XyZ--", None),
        (b"--XyZ\r\nContent-Disposition: attachment\r\n\r\n\r\n--XyZ--", None),
        (form(part("a")), "multipart/form-data"),
        (form(*[part("a")] * 1001), None),
    ],
)
async def test_what_is_no_form_is_told_so(sent, content_type):
    kind = content_type or f"multipart/form-data; boundary={BOUNDARY}"
    request, _ = call([sent], content_type=kind)
    with pytest.raises(Problem) as caught:
        await read_form(request)
    assert caught.value.status == 400


async def test_a_form_that_ends_within_the_file_is_broken_and_no_end_of_it():
    request, _ = call([form(part("blob_data", b"x" * 100, filename="f"))[:-30]])
    _, upload, _ = await read_form(request, streamed="blob_data")
    with pytest.raises(Problem, match="broken"):
        await whole(upload.content())


async def test_a_client_that_leaves_is_no_end_either():
    request, _ = call([b"abc"], gone=True)
    arriving = Body(request)
    assert await anext(arriving) == b"abc"
    with pytest.raises(ClientGone):
        await anext(arriving)


async def test_a_client_that_sends_nothing_is_not_waited_for_for_ever(monkeypatch):
    monkeypatch.setattr(body, "_PATIENCE", 0.05)
    request, _ = call([])
    request.receive = anyio.sleep_forever
    with pytest.raises(Problem) as caught:
        await anext(Body(request))
    assert caught.value.status == 408


@given(st.binary(max_size=300), st.integers(1, 50))
def test_any_content_comes_out_as_it_went_in(content, size):
    sent = form(part("blob_data", content, filename="f"), part("z", b"1"))
    request, _ = call(cut(sent, size))

    async def read():
        _, upload, _ = await read_form(request, streamed="blob_data")
        return await whole(upload.content()), upload.fields

    found, fields = anyio.run(read)
    if f"\r\n--{BOUNDARY}".encode() not in content:
        assert (found, fields) == (content, {"z": "1"})
