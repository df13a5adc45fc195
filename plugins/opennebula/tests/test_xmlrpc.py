"""The marshalling, and the parsing of what comes back."""

from xml.sax.saxutils import escape
from xmlrpc.client import loads

import pytest

from anabranch.errors import InvalidRequest, ProtocolError
from anabranch_opennebula.xml import parsed
from anabranch_opennebula.xmlrpc import Fault, decode, document_of, encode


def reply(*values: str) -> bytes:
    data = "\r\n".join(f"<value>{value}</value>" for value in values)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\r\n<methodResponse>\r\n<params>\r\n'
        f"<param><value><array><data>\r\n{data}\r\n</data></array></value></param>\r\n"
        "</params>\r\n</methodResponse>\r\n"
    ).encode()


def good(document: str) -> bytes:
    return reply("<boolean>1</boolean>", f"<string>{escape(document)}</string>", "<i4>0</i4>")


def test_a_call_is_what_another_reader_expects():
    odd = "é & < > \" ' \\ ]]> \n\t 🚀"
    parameters, method = loads(encode("one.vm.info", ("user:pass", -1, True, odd, "")))
    assert method == "one.vm.info"
    assert parameters == ("user:pass", -1, True, odd, "")
    assert "&#13;" in encode("one.x", ("a\rb",)).decode()


@pytest.mark.parametrize("text", ["a\x00", "\x1b[m", "\ud800", "\ufffe"])
def test_what_xml_cannot_carry_is_refused(text):
    with pytest.raises(InvalidRequest, match="takes no text"):
        encode("one.x", (text,))


def test_numbers_have_their_limits():
    with pytest.raises(InvalidRequest, match="too large"):
        encode("one.x", (2**31,))


@pytest.mark.parametrize(
    "values",
    [
        ("<boolean>0</boolean>", "<string>no</string>", "<i4>1024</i4>"),
        (
            *("<boolean>0</boolean>", "<string>no</string>", "<i4>1024</i4>"),
            *("<i4>7</i4>", "<i8>-1</i8>"),
        ),
    ],
)
def test_three_and_five_elements(values):
    assert decode(reply(*values))[:3] == [False, "no", 1024]


def test_all_types():
    found = decode(
        reply(
            *("plain", "<string></string>", "<string/>", "<int>-3</int>", "<double>1.5</double>"),
            *("<nil/>", "<array><data/></array>"),
            "<struct><member><name>a</name><value><i4>1</i4></value></member></struct>",
            '<ex:i8 xmlns:ex="http://ws.apache.org/xmlrpc/namespaces/extensions">9</ex:i8>',
        )
    )
    assert found == ["plain", "", "", -3, 1.5, None, [], {"a": 1}, 9]


def test_a_fault():
    content = b"""<?xml version="1.0"?><methodResponse><fault><value><struct>
        <member><name>faultCode</name><value><i4>-506</i4></value></member>
        <member><name>faultString</name><value><string>Method 'x' not defined</string></value>
        </member></struct></value></fault></methodResponse>"""
    with pytest.raises(Fault) as caught:
        decode(content)
    assert (caught.value.code, caught.value.text) == (-506, "Method 'x' not defined")


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"garbage", b"<html></html>", b"<methodResponse/>", b'{"a": 1}'),
        *(reply("<i4>x</i4>"), reply("<date>today</date>")),
        b"<methodResponse><params/></methodResponse>",
    ],
)
def test_what_is_no_reply(content):
    with pytest.raises(ProtocolError):
        decode(content)


@pytest.mark.parametrize(
    "document",
    [
        "<VM><NAME><![CDATA[a & <b> ]] é 🚀]]></NAME></VM>",
        "<VM><NAME>&lt;b&gt; &amp;amp; &quot;</NAME></VM>",
        "<VM/>",
        "",
    ],
)
def test_the_short_way_to_a_document_leads_to_the_same(document):
    assert document_of(good(document)) == document.encode()
    assert decode(good(document))[1] == document


@pytest.mark.parametrize(
    "content",
    [
        reply("<boolean>0</boolean>", "<string>no</string>", "<i4>1024</i4>"),
        reply("<boolean>1</boolean>", "<i4>7</i4>", "<i4>0</i4>"),
        reply("<boolean>1</boolean>", "<string>a&#13;b</string>", "<i4>0</i4>"),
        reply("<boolean>1</boolean>", "<string><![CDATA[<VM/>]]></string>", "<i4>0</i4>"),
        reply("<boolean>1</boolean>", "<string>a&quot;</string>", "<i4>0</i4>"),
        reply("<boolean>1</boolean>", "<string>x</string>") + b"<more/>",
        good("<VM/>").replace(b"UTF-8", b"latin-1"),
    ],
)
def test_what_is_written_otherwise_goes_the_long_way(content):
    assert document_of(content) is None


def test_entities_lead_nowhere(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hidden")
    bomb = (
        '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">'
        f'<!ENTITY f SYSTEM "file://{secret}">]><a><x>&c;</x><y>&f;</y></a>'
    )
    root = parsed(bomb.encode())
    assert not (root.findtext("x") or "").startswith("b")
    assert "hidden" not in (root.findtext("y") or "")


def test_characters_that_xml_does_not_know_are_left_out():
    content = (
        b"<VM><ID>1</ID><NAME><![CDATA[a\x08b\xff]]></NAME><NOTE>c&#1;d&#x1F;&#10;</NOTE></VM>"
    )
    root = parsed(content)
    assert root.findtext("ID") == "1"
    assert root.findtext("NAME") == "ab�"
    assert root.findtext("NOTE") == "cd\n"


def test_texts_of_over_10_mb():
    content = reply("<boolean>1</boolean>", f"<string>{'x' * 11_000_000}</string>", "<i4>0</i4>")
    assert len(decode(content)[1]) == 11_000_000
