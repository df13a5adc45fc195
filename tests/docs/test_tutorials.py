"""The tutorials, read by somebody who does what they say and nothing else."""

import pytest


def test_your_first_listing(reader):
    reader.read("docs/tutorials/first-listing.md")


@pytest.mark.timeout(180)  # it runs the new driver's whole suite twice
def test_your_first_driver(reader):
    reader.read("docs/tutorials/first-driver.md")
