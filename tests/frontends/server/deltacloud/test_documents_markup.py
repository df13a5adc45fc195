"""Escaping, numbers, times, and addresses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from xml.etree import ElementTree

import pytest

from anabranch_server.deltacloud import documents
from anabranch_server.deltacloud.documents.markup import attribute, figure, iso, text
from anabranch_server.deltacloud.links import View


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        "",
        "&<>'\"",
        "]]>",
        "tab\tnewline\nreturn\rboth\r\n",
        "  \n  \n  ",
        "\x7f\x85\xa0\u2028",
        "👩‍💻 \U0010fffe",
    ],
)
def test_a_parser_gives_back_what_was_escaped(value: str):
    found = ElementTree.fromstring(
        f"<a b='{attribute(value)}' c=\"{attribute(value)}\">{text(value)}</a>"
    )

    assert (found.attrib["b"], found.attrib["c"], found.text or "") == (value, value, value)


@pytest.mark.parametrize("character", [*map(chr, [0, 1, 8, 11, 12, 14, 31]), "\ud800", "\uffff"])
def test_what_xml_cannot_hold_is_replaced(character: str):
    assert text(f"a{character}b") == attribute(f"a{character}b") == "a\ufffdb"


def test_numbers_have_a_fraction_only_if_they_need_one():
    assert [figure(one) for one in (1, 1.0, 1.5, 1e22, float("inf"), "x86_64")] == [
        "1", "1", "1.5", "10000000000000000000000", "inf", "x86_64",
    ]  # fmt: skip


def test_times_are_told_in_utc():
    when = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    assert iso(when) == "2026-01-02T03:04:05Z"
    assert iso(when.astimezone(timezone(timedelta(hours=5.5)))) == "2026-01-02T03:04:05Z"


def test_a_lone_surrogate_is_no_end_of_json():
    assert documents.encode({"a\ud800": ["\udfff", ("\ud800", 1, None)]}) == (
        '{"a\ufffd":["\ufffd",["\ufffd",1,null]]}'.encode()
    )


def test_addresses_are_encoded_part_by_part():
    view = View("http://h/api;driver=x", qualified=True, offered={"c": {"list_realms"}})

    assert view.id("c", "a/b") == "c/a/b"
    assert view.path("c", "a/b") == "c/a%2Fb"
    assert view.parameter("c", "a/b") == "c%2Fa%2Fb"
    assert view.collection("realms") == "http://h/api;driver=x/realms"
    assert view.member("realms", "c", "ü '") == "http://h/api;driver=x/realms/c/%C3%BC%20%27"
    assert view.blob("c", "b", "x/y") == "http://h/api;driver=x/buckets/c/b/x%2Fy"
    assert view.rule("c", "f", "r?") == "http://h/api;driver=x/firewalls/c/f/r%3F"
    assert view.member("images", "c", "template:a@b;c=d") == (
        "http://h/api;driver=x/images/c/template:a@b%3Bc%3Dd"
    )
    assert view.offers("c", "list_realms")
    assert not view.offers("c", "list_images")
    assert not view.offers("d", "list_realms")


def test_an_address_of_one_cloud_does_not_name_it():
    view = View("http://h/api")

    assert view.id("c", "a/b") == "a/b"
    assert view.path("c", "a/b") == view.parameter("c", "a/b") == "a%2Fb"
    assert view.member("realms", "c", "\ud800") == "http://h/api/realms/%3F"
