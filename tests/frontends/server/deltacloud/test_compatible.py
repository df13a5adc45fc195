"""Images whose cloud does not tell which profiles they go with are told those that fit."""

from xml.etree import ElementTree

import anyio
import msgspec
import pytest

from anabranch.hooks import hookimpl
from anabranch.paging import Page
from anabranch_server.deltacloud import compatible


class Bare:
    """Leaves out of images what most clouds do not tell, and counts."""

    def __init__(self, **changes):
        self.changes = {"hardware_profile_ids": (), **changes}
        self.asked = []

    def _bare(self, image):
        return msgspec.structs.replace(image, **self.changes)

    @hookimpl(wrapper=True)
    def list_images(self):
        return self._page((yield))

    async def _page(self, page):
        found = await page
        return Page([self._bare(image) for image in found.items], found.cursor)

    @hookimpl(wrapper=True)
    def get_image(self):
        return self._one((yield))

    async def _one(self, image):
        return self._bare(await image)

    @hookimpl(wrapper=True)
    def list_hardware_profiles(self, cloud):
        self.asked.append(cloud.name)
        return (yield)


def profiles(answer):
    root = ElementTree.fromstring(answer.content)
    images = [root] if root.tag == "image" else root.findall("image")
    return {
        image.get("id"): [p.get("id") for p in image.findall("hardware_profiles/hardware_profile")]
        for image in images
    }


async def test_a_list_has_the_profiles_of_the_architecture(serve):
    bare = Bare()
    async with serve(None, bare) as client:
        told = profiles(await client.get("/api/images"))
    assert "m1-small" in told["img2"]
    assert "m1-large" not in told["img2"]  # img2 is for i386, m1-large is x86_64
    assert "m1-large" in told["img1"]
    assert bare.asked == ["lisbon"]


async def test_one_image_has_them_too_with_ids_that_name_the_cloud(serve):
    clouds = {"lisbon": {"driver": "mock"}, "porto": {"driver": "mock"}}
    bare = Bare()
    async with serve(clouds, bare) as client:
        told = profiles(await client.get("/api/images/porto/img1"))
    assert "porto/m1-large" in told["porto/img1"]
    assert bare.asked == ["porto"]


@pytest.mark.parametrize(
    ("least", "fits"), [(15360, True), (15361, False)], ids=["enough", "too small"]
)
async def test_a_profile_fits_if_its_greatest_memory_is_enough(serve, least, fits):
    async with serve(None, Bare(min_memory_mib=least)) as client:
        told = profiles(await client.get("/api/images/img1"))
    assert ("m1-large" in told["img1"]) is fits


async def test_images_that_tell_their_profiles_keep_them(serve):
    async with serve(None, Bare(hardware_profile_ids=("m1-small",))) as client:
        told = profiles(await client.get("/api/images"))
    assert set(map(tuple, told.values())) == {("m1-small",)}


async def test_profiles_that_cannot_be_had_spoil_no_list(serve):
    faults = [{"kind": "unavailable", "operations": ["list_hardware_profiles"]}]
    async with serve({"lisbon": {"driver": "mock", "faults": faults}}, Bare()) as client:
        answer = await client.get("/api/images")
    assert answer.status_code == 200
    assert set(map(tuple, profiles(answer).values())) == {()}


async def test_profiles_that_do_not_come_are_not_waited_for(serve, monkeypatch):
    monkeypatch.setattr(compatible, "_GRACE", 0.01)
    faults = [{"kind": "hang", "operations": ["list_hardware_profiles"]}]
    with anyio.fail_after(5):
        async with serve({"lisbon": {"driver": "mock", "faults": faults}}, Bare()) as client:
            assert (await client.get("/api/images/img1")).status_code == 200


async def test_a_cloud_that_does_not_tell_them_keeps_nobody_elses_back(serve, monkeypatch):
    monkeypatch.setattr(compatible, "_GRACE", 0.2)
    faults = [{"kind": "hang", "operations": ["list_hardware_profiles"]}]
    clouds = {"lisbon": {"driver": "mock"}, "porto": {"driver": "mock", "faults": faults}}
    with anyio.fail_after(5):
        async with serve(clouds, Bare()) as client:
            told = profiles(await client.get("/api/images"))
    assert "lisbon/m1-large" in told["lisbon/img1"]
    assert told["porto/img1"] == []


async def test_an_image_that_is_not_there_is_told_as_it_is(serve):
    async with serve(None, Bare()) as client:
        assert (await client.get("/api/images/nope")).status_code == 404
