"""Every document reads back equal, through XML and JSON, to the model that it was made of."""

from __future__ import annotations

import html
import json
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from lxml import etree

from anabranch import CloudReport
from anabranch.models import Blob, Bucket
from anabranch_server.deltacloud import documents
from anabranch_server.deltacloud.links import View

from .documents_fields import COLLECTIONS, SECRET, fields_of
from .documents_hostile import of, settled, text, views
from .documents_reading import Element, link, linked

often = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def parsed(document: bytes) -> Element:
    """Both parsers take it, and see the same."""
    element = ElementTree.fromstring(document)
    other = etree.fromstring(document, etree.XMLParser(resolve_entities=False, huge_tree=True))
    assert (
        ElementTree.canonicalize(document.decode())
        == etree.tostring(other, method="c14n2").decode()
    )
    return element


def read(collection: str, item: Element | dict[str, Any], *, secret: bool) -> dict[str, Any]:
    reader = "xml" if isinstance(item, Element) else "json"
    return {
        field.name: getattr(field, reader)(item)
        for field in fields_of(collection)
        if secret or field.name not in SECRET
    }


def says(collection: str, item: Any, view: View, *, secret: bool) -> dict[str, Any]:
    return {
        field.name: field.model(item, view)
        for field in fields_of(collection)
        if field.model and (secret or field.name not in SECRET)
    }


@pytest.mark.parametrize("collection", COLLECTIONS)
@often
@given(data=st.data(), view=views)
def test_a_member_reads_back_equal_through_xml_and_json(
    collection: str, data: st.DataObject, view: View
) -> None:
    item = data.draw(of(COLLECTIONS[collection][0]))

    document = documents.show_xml(collection, item, view)
    plain = json.loads(documents.encode(documents.show_plain(collection, item, view)))

    told = read(collection, parsed(document), secret=True)
    ((singular, inner),) = plain.items()
    assert parsed(document).tag == singular
    assert read(collection, inner, secret=True) == told
    expected = says(collection, item, view, secret=True)
    assert {name: told[name] for name in expected} == expected
    assert documents.show_xml(collection, item, view) == document
    bare = json.loads(documents.encode(documents.show_plain(collection, item, view, wrapped=False)))
    assert bare == inner


@pytest.mark.parametrize("collection", COLLECTIONS)
@often
@given(data=st.data(), view=views)
def test_a_list_keeps_its_order_and_no_secret_is_in_it(
    collection: str, data: st.DataObject, view: View
) -> None:
    items = data.draw(st.lists(of(COLLECTIONS[collection][0]), max_size=4))
    clouds = data.draw(st.none() | st.lists(of(CloudReport), max_size=2))

    document = documents.index_xml(collection, items, view, clouds)
    encoded = documents.index_json(collection, items, view, clouds)

    root, plain = parsed(document), json.loads(encoded)
    assert root.tag == collection
    told = [read(collection, one, secret=False) for one in root]
    assert told == [read(collection, one, secret=False) for one in plain[collection]]
    expected = [says(collection, item, view, secret=False) for item in items]
    assert [
        {k: one[k] for k in says_} for one, says_ in zip(told, expected, strict=True)
    ] == expected
    assert b"S3CRET" not in document
    assert b"S3CRET" not in encoded
    assert documents.index_xml(collection, items, view, clouds) == document
    assert documents.index_json(collection, items, view, clouds) == encoded
    if clouds is None:
        assert "clouds" not in plain
        assert instructions(document) == []
    else:
        assert instructions(document) == [
            one for cloud in plain["clouds"] for one in plain_instructions(cloud)
        ]
        assert [settled(one["name"]) for one in plain["clouds"]] == [
            settled(cloud.name) for cloud in clouds
        ]


def instructions(document: bytes) -> list[tuple[str, dict[str, str]]]:
    """What the processing instructions say; they are the last nodes of the root."""
    nodes = list(etree.fromstring(document, etree.XMLParser(huge_tree=True)))
    found = [node for node in nodes if isinstance(node, etree._ProcessingInstruction)]
    assert nodes[len(nodes) - len(found) :] == found
    return [
        (
            node.target,
            {name: html.unescape(value) for name, value in VALUE.findall(node.text or "")},
        )
        for node in found
    ]


VALUE = re.compile("([a-z_]+)='([^']*)'")


def plain_instructions(cloud: dict[str, Any]) -> list[tuple[str, dict[str, str]]]:
    told = {key: cloud[key] for key in ("name", "driver", "status", "count")}
    if error := cloud["error"]:
        retryable = "true" if error["retryable"] else "false"
        told |= {**error, "error": error["type"], "retryable": retryable}
        del told["type"]
    problems = [{"cloud": cloud["name"], **one} for one in cloud["problems"]]
    return [
        (target, {k: settled(str(v)) for k, v in values.items() if v is not None})
        for target, values in [("cloud", told), *(("problem", one) for one in problems)]
    ]


@often
@given(
    error=of(documents.ErrorDocument),
)
def test_an_error_reads_back_equal_through_xml_and_json(error: documents.ErrorDocument) -> None:
    root = parsed(documents.error_xml(error))
    plain = json.loads(documents.encode(documents.error_plain(error)))

    assert root.findtext("message") == settled(error.message) == settled(plain["message"])
    assert root.findtext("kind") == settled(error.error) == settled(plain["error"])
    assert (root.findtext("remedy") or "") == settled(error.remedy) == settled(plain["remedy"])
    assert int(root.findtext("code") or 0) == error.status == plain["code"]
    assert int(root.attrib["status"]) == error.status
    assert root.attrib["url"] == settled(error.url) == settled(plain["url"])
    backend = {k: settled(v) for k, v in plain["backend"].items()}
    assert root.find("backend").attrib == backend
    assert backend["driver"] == settled(error.driver)
    assert (backend["provider"] == "default") or backend["provider"] == settled(error.provider)
    params = [(one.attrib["name"], one.text or "") for one in root.findall("request/param")]
    assert params == [(settled(k), settled(v)) for k, v in error.params.items()]
    assert params == [(settled(k), settled(v)) for k, v in plain["request"].items()]


@often
@given(entry=of(documents.EntryPoint))
def test_an_entry_point_reads_back_equal_through_xml_and_json(
    entry: documents.EntryPoint,
) -> None:
    root = parsed(documents.entry_point_xml(entry))
    plain = json.loads(documents.encode(documents.entry_point_plain(entry)))["api"]

    assert root.attrib.get("provider") == (
        None if entry.provider is None else settled(entry.provider)
    )
    assert (root.attrib["version"], root.attrib["driver"]) == (
        settled(plain["version"]), settled(plain["driver"])
    ) == (settled(entry.version), settled(entry.driver))  # fmt: skip
    xml = [
        (
            link.attrib["rel"],
            link.attrib["href"],
            [
                (
                    feature.attrib["name"],
                    feature.attrib["rel"],
                    [
                        f"{param.attrib['name']}:string:optional"
                        for param in feature.findall("param")
                    ],
                    [(c.attrib["name"], c.text or "") for c in feature.findall("constraint")],
                )
                for feature in link
            ],
        )
        for link in root
    ]
    assert xml == [
        (
            settled(link["rel"]),
            settled(link["href"]),
            [
                (
                    settled(feature["name"]),
                    settled(feature["rel"]),
                    [settled(param) for param in feature["params"]],
                    [(settled(k), settled(v)) for k, v in feature["constraints"].items()],
                )
                for (feature,) in link["features"]
            ],
        )
        for link in plain["links"]
    ]
    assert [one[0] for one in xml] == [settled(link.name) for link in entry.links]


@often
@given(entries=st.lists(of(documents.DriverEntry), max_size=3), view=views)
def test_drivers_read_back_equal_through_xml_and_json(
    entries: list[documents.DriverEntry], view: View
) -> None:
    assume(len({settled(one.id) for one in entries}) == len(entries))
    root = parsed(documents.drivers_xml(entries, view))
    plain = json.loads(documents.encode(documents.drivers_plain(entries, view)))

    assert [one.attrib["id"] for one in root] == [settled(key) for key in plain]
    assert [one.findtext("name") for one in root] == [settled(one.name) for one in entries]
    for entry in entries:
        alone = parsed(documents.driver_xml(entry, view))
        told = json.loads(documents.encode(documents.driver_plain(entry, view)))["driver"]
        assert alone.attrib == {"id": settled(told["id"]), "href": told["href"]}
        xml = [
            (
                one.attrib["id"],
                [(e.attrib["kind"], e.text or "") for e in one],
            )
            for one in alone.findall("provider")
        ]
        assert xml == [
            (settled(p.id), [(settled(k), settled(v)) for k, v in p.entrypoints.items()])
            for p in entry.providers
        ]
        assert xml == [
            (settled(p["id"]), [(settled(k), settled(v)) for k, v in p["entrypoints"].items()])
            for p in told["providers"]
        ]


@often
@given(told=of(documents.CommandOutput), view=views)
def test_what_a_command_said_reads_back_equal_through_xml_and_json(
    told: documents.CommandOutput, view: View
) -> None:
    root = parsed(documents.run_xml(told, view))
    plain = json.loads(documents.encode(documents.run_plain(told, view)))["instance"]

    assert link(root) == linked(plain)
    assert root.findtext("output") == settled(told.output) == settled(plain["output"])
    assert root.findtext("command") == settled(told.command) == settled(plain["command"])
    assert root.findtext("public_address") == settled(told.public_address)
    status = root.findtext("exit_status")
    assert (None if status is None else int(status)) == told.exit_status == plain["exit_status"]
    cut = root.find("output").attrib.get("truncated") == "true"
    assert cut is told.truncated is plain["truncated"]


@often
@given(
    bucket=of(Bucket), blobs=st.lists(of(Blob), max_size=3), view=views, content=st.none() | text
)
def test_a_bucket_tells_its_blobs_and_a_blob_its_content(
    bucket: Bucket, blobs: list[Blob], view: View, content: str | None
) -> None:
    whole = documents.BucketContents(bucket, blobs)
    root = parsed(documents.show_xml("buckets", whole, view))
    plain = json.loads(documents.encode(documents.show_plain("buckets", whole, view)))["bucket"]

    assert root.findtext("size") == str(len(blobs)) == str(plain["size"])
    assert [link(one) for one in root.findall("blob")] == [
        linked(one) for one in plain["blob_list"]
    ]
    assert [one.attrib["id"] for one in root.findall("blob")] == [settled(b.id) for b in blobs]
    for blob in blobs:
        opened = documents.BlobContents(blob, content)
        told = json.loads(documents.encode(documents.show_plain("blobs", opened, view)))["blob"]
        assert settled(told["content"]) == settled(content)
        bare = documents.show_xml("blobs", blob, view)
        assert documents.show_xml("blobs", opened, view) == bare
