"""A cloud that is slow and not dead: what is asked of it in passing does it no harm."""

from .asking import JSON

SLOW = {"lisbon": {"driver": "mock", "faults": [{"kind": "slow", "seconds": 0.2}]}}


async def test_a_form_that_could_not_be_filled_in_does_not_keep_from_creating(serve, monkeypatch):
    monkeypatch.setattr("anabranch_server.deltacloud.forms._PATIENCE", 0.02)
    api = serve(SLOW)
    form = await api.get("/api/instances/new?format=html")
    assert form.status_code == 200
    assert "<option value='img1'" not in form.text.replace('"', "'")
    made = await api.post("/api/instances", data={"image_id": "img1"}, headers=JSON)
    assert made.status_code == 201, made.text


async def test_an_entry_point_that_could_not_wait_does_not_keep_from_listing(serve, monkeypatch):
    monkeypatch.setattr("anabranch_server.deltacloud.entry._PATIENCE", 0.02)
    api = serve(SLOW)
    for _ in range(4):
        assert (await api.get("/api")).status_code == 200
    assert (await api.get("/api/instances")).status_code == 200
