from __future__ import annotations

import gc
import logging
import os
import threading
import time

import anyio
import httpx
import pytest

from anabranch.testing.simulation import serve


def test_every_cloud_has_a_port_of_its_own(parrot):
    clouds = [parrot(name) for name in ("lisbon", "paris")]
    with serve(clouds) as urls:
        assert {name: httpx.get(url).text for name, url in urls.items()} == {
            "lisbon": "lisbon",
            "paris": "paris",
        }
        assert "date" in httpx.get(urls["paris"]).headers
    assert [cloud.requests.total for cloud in clouds] == [1, 2]


def test_two_hundred_clouds_in_one_server(parrot):
    clouds = [parrot(f"cloud-{n}") for n in range(200)]
    with serve(clouds) as urls, httpx.Client() as http:
        assert all(http.get(url).text == name for name, url in urls.items())


def test_nobody_listens_at_a_refusing_cloud(parrot):
    with serve([parrot("open"), parrot("shut")], refuse=["shut"]) as urls:
        assert httpx.get(urls["open"]).text == "open"
        with pytest.raises(httpx.ConnectError):
            httpx.get(urls["shut"])


def test_a_lost_reply_is_one_to_something_that_was_done(parrot):
    cloud = parrot("polly")
    done = []
    answer = cloud.answer

    async def act(scope, receive, send):
        done.append(scope["path"])
        await answer(scope, receive, send)

    cloud.app._app = act
    cloud.behaviour.break_with(["lostx1:POST /machines"])
    with serve([cloud]) as urls:
        with pytest.raises(httpx.ReadError):
            httpx.post(f"{urls['polly']}/machines")
        assert httpx.get(urls["polly"]).text == "polly"
    assert done == ["/machines", "/"]


def test_reset_cuts_the_connection(parrot):
    cloud = parrot("polly")
    cloud.behaviour.break_with(["resetx1:POST"])
    with serve([cloud]) as urls:
        cloud.behaviour.break_with(["resetx1"])
        with pytest.raises(httpx.ReadError):
            httpx.get(urls["polly"])
        assert httpx.get(urls["polly"]).text == "polly"


def test_a_hanging_request_is_over_when_the_client_gives_up_or_the_server_ends(parrot):
    hanging, slow = parrot("hanging"), parrot("slow")
    hanging.behaviour.break_with(["hang"])
    slow.behaviour.latency = 60
    failures: list[Exception] = []

    def ask(url: str) -> None:
        try:
            httpx.get(url, timeout=30)
        except httpx.TransportError as error:
            failures.append(error)

    with serve([hanging, slow]) as urls:
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(urls["hanging"], timeout=0.05)
        threads = [threading.Thread(target=ask, args=(url,)) for url in urls.values()]
        for thread in threads:
            thread.start()
        while hanging.requests.total < 2 or slow.requests.total < 1:
            time.sleep(0.01)
        start = time.perf_counter()
    assert time.perf_counter() - start < 1
    for thread in threads:
        thread.join(5)
    assert len(failures) == 2


@pytest.mark.parametrize(("names", "refuse"), [(["a", "a"], []), (["a"], ["b"])])
def test_names_are_checked(parrot, names, refuse):
    with pytest.raises(ValueError, match="called"), serve(map(parrot, names), refuse=refuse):
        pass


def test_nothing_is_left_behind(parrot):
    def open_files() -> int:
        return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0

    with serve([parrot("warm-up")]):
        pass
    gc.collect()
    threads, files = threading.active_count(), open_files()
    with serve([parrot(f"cloud-{n}") for n in range(20)], refuse=["cloud-3"]) as urls:
        httpx.get(urls["cloud-1"])
    gc.collect()
    assert (threading.active_count(), open_files()) == (threads, files)


def test_an_error_in_the_block_ends_the_server(parrot):
    seen = []

    def fail():
        with serve([parrot("polly")]) as urls:
            seen.extend(urls.values())
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with pytest.raises(httpx.ConnectError):
        httpx.get(seen[0])


def test_it_is_quiet_and_leaves_the_logging_of_the_process_alone(parrot, capfd, caplog):
    caplog.set_level(logging.DEBUG)
    before = [(n, logging.getLogger(n).level) for n in ("uvicorn", "uvicorn.access")]
    with serve([parrot("polly")]) as urls:
        httpx.get(urls["polly"])
    assert capfd.readouterr() == ("", "")
    assert not [r for r in caplog.records if r.name.startswith("uvicorn")]
    assert [(n, logging.getLogger(n).level) for n in ("uvicorn", "uvicorn.access")] == before


async def test_it_serves_callers_on_any_event_loop(parrot):
    clouds = [parrot(f"cloud-{n}") for n in range(10)]
    answers: dict[str, str] = {}
    with serve(clouds) as urls:
        async with httpx.AsyncClient() as http, anyio.create_task_group() as group:

            async def ask(name: str, url: str) -> None:
                answers[name] = (await http.get(url)).text

            for name, url in urls.items():
                group.start_soon(ask, name, url)
    assert answers == {name: name for name in urls}
