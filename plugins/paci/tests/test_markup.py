"""XML, read and written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anabranch.errors import InvalidRequest, ProtocolError
from anabranch_paci.markup import Node, as_mapping, document, parse, read


def test_what_is_in_a_document():
    node = parse(
        b'<a:ve xmlns:a="urn:x" a:k="1"><!-- no --><?no?><name>web</name>'
        b'<d n="1"/><d n="2"/></a:ve>'
    )
    assert (node.tag, node.get("k"), node.value("name")) == ("ve", "1", "web")
    assert [d.get("n") for d in node.all("d")] == ["1", "2"]
    assert node.get("n", "d") == "1"
    assert (node.value("none"), node.get("none"), node.get("n", "none")) == (None, None, None)
    assert as_mapping(node) == {"k": "1", "name": "web", "d": [{"n": "1"}, {"n": "2"}]}
    assert as_mapping(parse(b"<a><b c='1'>text</b><e/><e/><e/></a>")) == {
        "b": {"c": "1", "": "text"},
        "e": ["", "", ""],
    }


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"VE stop initiated",
        b"<html><br></html>",
        b"<a>",
        b'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>',
        b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><a>&e;</a>',
        '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>'.encode("utf-16"),
        b"<a>&e;</a>",
    ],
)
def test_what_is_no_document(content):
    with pytest.raises(ProtocolError):
        parse(content)


@pytest.mark.parametrize(
    ("name", "read_as"),
    [
        (b"a\x01b", "a\ufffdb"),
        (b"a&#1;b", "a\ufffdb"),
        (b"a&#x1F;b", "a\ufffdb"),
        (b"a\xffb", "a\ufffdb"),
        (b"a&#10;&#x9;&#13;b", "a\n\t\rb"),
    ],
)
def test_characters_that_xml_forbids_spoil_nothing(name, read_as):
    assert parse(b"<l><i>good</i><i>" + name + b"</i></l>").children[1].text == read_as


async def test_a_long_document_is_read_off_the_loop():
    content = b"<l>" + b'<i name="x"/>' * 30_000 + b"</l>"
    assert len(content) > 256 * 1024
    assert len((await read(content)).children) == 30_000


def test_a_document_is_written_as_the_platform_writes_them():
    written = document(Node("ve", children=(Node("name", text="R&D <1>"), Node("cpu", {"n": '"'}))))
    assert written == (
        b"<?xml version='1.0' encoding='UTF-8' standalone='yes'?>\n"
        b'<ve><name>R&amp;D &lt;1&gt;</name><cpu n="&quot;"/></ve>'
    )


@pytest.mark.parametrize("text", ["\x00", "a\x0bb", "\ud800"])
def test_what_no_document_can_hold(text):
    with pytest.raises(InvalidRequest, match="cannot carry"):
        document(Node("ve", text=text))
    with pytest.raises(InvalidRequest, match="cannot carry"):
        document(Node("ve", {"name": text}))


# XML has no other way of writing these; a carriage return is written as a reference.
_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff")
)


@given(_TEXT, _TEXT)
def test_what_is_written_is_read_again(text, value):
    node = parse(document(Node("ve", {"a": value}, text)))
    assert (node.text, node.attributes["a"]) == (text, value)
