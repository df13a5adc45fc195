"""Tags and the token in a description."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anabranch.errors import InvalidRequest
from anabranch_paci.description import LONGEST, compose, parse

_SHORT = st.text(max_size=4).filter(lambda t: t.isprintable())


def test_a_person_can_still_read_it():
    text = compose("front", "abc", {"team": "a b", "x": ""})
    assert text == "front [anabranch abc;team=a%20b&x=]"
    assert compose("front", None, {}) == "front"
    assert compose("", "abc", {}) == "[anabranch abc;]"


@pytest.mark.parametrize(
    "text", ["", "front", "a [b]", "[anabranch]", "[anabranch x]", "[anabranch a b;c]", "x\ny"]
)
def test_what_others_wrote_is_left_alone(text):
    assert parse(text) == (text, None, {})
    assert parse(None) == ("", None, {})


@given(
    st.sampled_from(["", "front", "two\nlines", "a [b] c"]),
    st.none() | st.text("abcdef];% [", min_size=1, max_size=8),
    st.dictionaries(_SHORT, _SHORT, max_size=2),
)
def test_it_comes_back(text, token, tags):
    assert parse(compose(text, token, tags)) == (text, token, tags)


def test_a_description_full_of_blanks_is_read_in_one_go():
    for text in (f"a{' ' * 1_000_000}b", f"[anabranch a;]{' ' * 1_000_000}b"):  # squared, an hour
        assert parse(text).text == text


def test_what_it_cannot_hold():
    with pytest.raises(InvalidRequest, match=f"holds {LONGEST}"):
        compose("", "abc", {"note": "x" * LONGEST})
    with pytest.raises(InvalidRequest, match="lone surrogate"):
        compose("", "abc", {"note": "\ud800"})
