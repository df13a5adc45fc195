from __future__ import annotations

import json

import pytest

from anabranch.testing.growth import UNKNOWN, grown, grown_xml


def test_records_and_what_holds_them_get_a_member_that_nobody_knows():
    body = {"vms": [{"id": "1", "tags": {"role": "web"}}], "next": None}
    after = json.loads(grown(json.dumps(body).encode(), "application/json; charset=utf-8"))
    assert UNKNOWN in after
    assert UNKNOWN in after["vms"][0]
    assert after["vms"][0]["tags"] == {"role": "web"}, "a map of the user's own"


def test_a_document_without_records_stays_as_it_is():
    body = b'{ "count": 3 }'
    assert grown(body, "application/json") == body


def test_every_element_of_elements_gets_another_and_every_one_with_attributes_an_attribute():
    after = grown(b'<pool><vm id="1"><name>a</name></vm></pool>', "text/xml")
    assert after.count(b"<X_LATER>later</X_LATER>") == 2
    assert after.count(b'x_later="later"') == 1
    assert b"<name>a</name>" in after


def test_what_is_the_users_own_is_left():
    after = grown_xml(b"<vm><free><a><b>1</b></a></free><c/></vm>", leave=("free",))
    assert b"<free><a><b>1</b></a></free>" in after
    assert after.count(b"X_LATER") == 2


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"{no json", "application/json"), (b"<no xml", "application/xml"), (b"<p>", "text/html")],
)
def test_what_cannot_be_read_stays_as_it_is(body, kind):
    assert grown(body, kind) == body
