"""A real OpenStack on loopback, where one is up: `OSLAB_STATE` names its folder."""

import os
import urllib.request
import uuid
from pathlib import Path

import pytest
import yaml

from anabranch import Broker, Configuration

CLOUDS_FILE = Path(os.environ.get("OSLAB_STATE", "/var/tmp/oslab")) / "clouds.yaml"


def _reason_to_skip() -> str:
    if not CLOUDS_FILE.is_file():
        return f"no OpenStack is up: there is no {CLOUDS_FILE}"
    clouds = yaml.safe_load(CLOUDS_FILE.read_text())["clouds"]
    url = clouds["oslab"]["auth"]["auth_url"]
    try:
        with urllib.request.urlopen(url, timeout=5):
            return ""
    except OSError as exc:
        return f"keystone at {url} does not answer: {exc}"


REASON = _reason_to_skip()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.realcloud)
            item.add_marker(pytest.mark.timeout(180))
            if REASON:
                item.add_marker(pytest.mark.skip(reason=REASON))


@pytest.fixture
def openstack():
    """Makes a broker of some of the lab's clouds.

    To be called where no event loop runs, or in a thread: configuring reads clouds.yaml.
    """

    def make(*names: str, **settings: object) -> Broker:
        entry = {"driver": "openstack", "clouds_file": str(CLOUDS_FILE), **settings}
        clouds = {name: {**entry, "cloud": name} for name in names}
        return Broker(Configuration(clouds=clouds, timeout=60))

    return make


@pytest.fixture
def unique() -> str:
    """A name that nothing in the lab has yet."""
    return f"anabranch-test-{uuid.uuid4().hex[:8]}"
