"""`anabranch serve` as people run it."""

import contextlib
import importlib.util
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from pathlib import Path

import pytest

from anabranch.testing import Fleet

PROGRAM = str(Path(sys.executable).with_name("anabranch"))
CLOUDS = "clouds:\n  lisbon: {driver: mock}\n  porto: {driver: mock}\n"
MOCK = "mockuser:mockpassword"


class Daemon:
    """A daemon that was started: its address as it tells it, its process and what it says."""

    def __init__(self, process):
        self.process = process
        self.lines = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        line = self.wait_for(r"serving .* at (\S+)/api until Ctrl-C")
        self.url = line[1]

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))

    def wait_for(self, pattern, seconds=15):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if found := re.search(pattern, "\n".join(self.lines)):
                return found
            time.sleep(0.02)
        raise AssertionError(f"{pattern!r} is not in {self.lines}")

    def get(self, path, *, user="", method="GET", context=None, **headers):
        headers = {"Accept": "application/json", **headers}
        if user:
            headers["Authorization"] = f"Basic {b64encode(user.encode()).decode()}"
        request = urllib.request.Request(f"{self.url}{path}", headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10, context=context) as reply:
                return reply.status, reply.headers, reply.read()
        except urllib.error.HTTPError as reply:
            with reply:
                return reply.code, reply.headers, reply.read()

    def end(self, number):
        self.process.send_signal(number)
        code = self.process.wait(timeout=20)
        self._thread.join(5)
        return code


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "anabranch.yaml").write_text(CLOUDS)
    return tmp_path


@pytest.fixture
def command(folder):
    """The arguments with which a program is run in the folder."""

    def made(environment):
        return {
            "cwd": folder,
            "env": {**os.environ, "COLUMNS": "200", **environment},
            "text": True,
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
        }

    return made


@pytest.fixture
def start(command):
    """Starts daemons at ports that are free, and ends them."""
    with contextlib.ExitStack() as stack:

        def started(*options, patched="", **environment):
            program = [PROGRAM]
            if patched:
                code = f"from anabranch_server import daemon; {patched};"
                program = [
                    sys.executable,
                    "-c",
                    f"{code} from anabranch_cli.main import run; run()",
                ]
            arguments = [*program, "serve", "--port", "0", *options]
            process = stack.enter_context(subprocess.Popen(arguments, **command(environment)))
            stack.callback(process.kill)
            return Daemon(process)

        yield started


@pytest.fixture
def fails(folder, monkeypatch, capsys, blockbuster):
    """Runs a command that does not get to serve; returns its exit code and its one line."""
    blockbuster.deactivate()  # what a command line does before it serves keeps nobody waiting
    from anabranch_cli.main import invoke

    monkeypatch.chdir(folder)

    def run(*options):
        code = invoke(["serve", *options])
        captured = capsys.readouterr()
        assert captured.out == ""
        (line,) = captured.err.splitlines()
        return int(code), line.removeprefix("anabranch: error: ")

    yield run
    blockbuster.activate()


# ----------------------------------------------------------------------------------- what it does


def test_it_serves_the_clouds_of_the_configuration_and_says_how_to_ask(start):
    daemon = start()
    assert daemon.wait_for("serving 2 clouds at")
    line = daemon.wait_for(r"try: curl '(\S+)'")
    assert line[1] == f"{daemon.url}/api/instances?format=xml"
    asked = subprocess.run(
        ["curl", "-s", line[1]], capture_output=True, text=True, timeout=20, check=True
    )
    assert "id='lisbon/" in asked.stdout
    assert "id='porto/" in asked.stdout
    status, headers, body = daemon.get("/api")
    assert status == 200
    assert json.loads(body)["api"]["driver"] == "all"
    assert headers.get_all("Server") == ["Apache-Deltacloud/1.1.3"]
    assert len(headers.get_all("Date")) == 1
    assert daemon.end(signal.SIGTERM) == 143
    assert daemon.process.stdout.read() == ""
    assert len(daemon.lines) == 2


def test_only_some_of_them(start):
    daemon = start("--cloud", "porto")
    status, _, body = daemon.get("/api/realms")
    assert status == 200
    assert "clouds" not in json.loads(body)
    assert daemon.get("/health")[0] == 200


def test_the_mock_driver_needs_nothing_configured(start, folder):
    (folder / "anabranch.yaml").unlink()
    daemon = start("--driver", "mock")
    line = daemon.wait_for(r"try: curl --user (\S+) '(\S+)'")
    assert line[1] == MOCK
    assert daemon.get("/api/instances", user=MOCK)[0] == 200
    status, headers, _ = daemon.get("/api/instances")
    assert status == 401
    assert headers["WWW-Authenticate"].startswith('Basic realm="mock-deltacloud@')
    assert daemon.get("/api/instances", user="mockuser:wrong")[0] == 401


def test_with_a_driver_nothing_of_the_configuration_is_served(start):
    daemon = start("--driver", "mock")
    status, _, body = daemon.get("/api/drivers")
    assert status == 200
    assert b"lisbon" not in body
    for path in ("/api;driver=mock;provider=lisbon/realms", "/api;driver=openstack/realms"):
        assert daemon.get(path, user=MOCK)[0] == 400


def test_a_platform_behind_a_daemon_of_its_own(start):
    with Fleet.of({"opennebula": 1}, instances=3).serving() as fleet:
        (entry,) = fleet.document()["clouds"].values()
        (cloud,) = fleet.clouds.values()
        daemon = start("--driver", "opennebula", "--provider", entry["endpoint"])
        account = f"{entry['username']}:{entry['password']}"
        assert daemon.get("/api/instances")[0] == 401
        assert cloud.requests.total == 0
        status, _, body = daemon.get("/api/instances", user=account)
        assert status == 200
        assert len(json.loads(body)["instances"]) == 3
        assert daemon.end(signal.SIGTERM) == 143


def test_a_user_with_a_password_from_the_environment(start):
    daemon = start("--user", "keeper", "--host", "0.0.0.0", ANABRANCH_SERVE_PASSWORD="opensesame")
    daemon.wait_for("curl --user keeper ")
    daemon.wait_for("passwords travel readable")
    daemon.url = re.sub(r"//[^:]+:", "//127.0.0.1:", daemon.url)
    assert daemon.get("/api")[0] == 401
    assert daemon.get("/api", user="keeper:wrong")[0] == 401
    assert daemon.get("/api", user="keeper:opensesame")[0] == 200
    assert daemon.get("/health")[0] == 200
    assert "opensesame" not in str(daemon.lines)


def test_names_and_pages_of_others_are_kept_out(start):
    daemon = start("--allow-host", "clouds.example")
    assert daemon.get("/api", Host="rebound.example")[0] == 403
    assert daemon.get("/api", Host="clouds.example")[0] == 200
    assert daemon.get("/api/keys?name=x", method="POST", Origin="http://evil.example")[0] == 403


def test_links_begin_as_clients_know_it(start):
    daemon = start("--public-url", "https://clouds.example/broker")
    assert daemon.url == "https://clouds.example/broker"


def test_tls(start, certificate):
    cert, key = certificate
    daemon = start("--tls-cert", cert, "--tls-key", key, "--cloud", "porto")
    assert daemon.url.startswith("https://127.0.0.1:")
    context = ssl.create_default_context(cafile=cert)
    status, _, body = daemon.get("/api", context=context)
    assert status == 200
    assert daemon.url in body.decode()


def test_commands_are_run_on_instances_only_where_that_is_allowed(start):
    found = []
    for options in ((), ("--allow-run",)):
        daemon = start("--driver", "mock", *options)
        document = json.loads(daemon.get("/api/instances", user=MOCK)[2])
        links = [link["rel"] for i in document["instances"] for link in i["actions"]]
        found.append("run" in links)
    assert found == [False, True]


def test_requests_are_logged_where_that_is_asked_for(start):
    daemon = start("--driver", "mock", "-v")
    daemon.get("/api/realms?token=s3cret", user=MOCK)
    line = daemon.wait_for(r".*http\.request.*")[0]
    for part in ("GET", "path=/api/realms", "status=200", "elapsed_ms="):
        assert part in line
    daemon.end(signal.SIGTERM)
    said = "\n".join(daemon.lines[2:])
    assert "s3cret" not in said
    assert "mockpassword" not in said


# ------------------------------------------------------------------------------------ how it ends


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_ends_as_the_command_line_does(start, number, code):
    daemon = start()
    assert daemon.get("/api")[0] == 200
    assert daemon.end(number) == code
    assert "Traceback" not in "\n".join(daemon.lines)
    assert len(daemon.lines) == 2


@pytest.fixture
def slow(start):
    """A daemon before a cloud that takes its time, and a request to it that is under way."""
    with Fleet.of({"opennebula": 1}, instances=3).serving() as fleet:
        (entry,) = fleet.document()["clouds"].values()
        (cloud,) = fleet.clouds.values()
        options = "--driver", "opennebula", "--provider", entry["endpoint"]
        daemon = start(*options, patched="daemon._GRACE = 2")
        account = f"{entry['username']}:{entry['password']}"
        assert daemon.get("/api/instances", user=account)[0] == 200

        def ask(fault):
            cloud.behaviour.break_with([fault]) if fault else None
            replies = []

            def request():
                try:
                    replies.append(daemon.get("/api/instances", user=account)[0])
                except OSError as exc:
                    replies.append(exc)

            thread = threading.Thread(target=request)
            before = cloud.requests.total
            thread.start()
            while cloud.requests.total == before:
                time.sleep(0.01)
            return thread, replies

        yield daemon, cloud, ask


def test_requests_under_way_are_finished(slow):
    daemon, cloud, ask = slow
    cloud.behaviour.latency = 1.0
    thread, replies = ask("")
    began = time.monotonic()
    assert daemon.end(signal.SIGTERM) == 143
    thread.join(5)
    assert replies == [200]
    assert time.monotonic() - began < 8


def test_what_is_not_finished_in_time_is_cut_off(slow):
    daemon, _, ask = slow
    thread, replies = ask("hang")
    began = time.monotonic()
    assert daemon.end(signal.SIGTERM) == 143
    assert 2 <= time.monotonic() - began < 8
    thread.join(5)
    assert replies
    assert replies != [200]
    daemon.wait_for("http.server.*Cancel 1 running task")
    assert "Traceback" not in "\n".join(daemon.lines)


def test_a_second_ctrl_c_waits_for_nobody(slow):
    daemon, _, ask = slow
    thread, _ = ask("hang")
    daemon.process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    began = time.monotonic()
    assert daemon.end(signal.SIGINT) == 130
    assert time.monotonic() - began < 5
    thread.join(5)
    assert "Traceback" not in "\n".join(daemon.lines)


# ------------------------------------------------------------------------- what keeps it from it


def test_a_port_that_is_in_use(fails):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, line = fails("--port", str(port))
    assert code == 1
    assert (
        line
        == f"port {port} of 127.0.0.1 is in use. Choose another: --port 0 takes any that is free"
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--host", "0.0.0.0"], "--user NAME. Or say that anybody may: --open"),
        (["--user", "keeper"], "ANABRANCH_SERVE_PASSWORD is not set"),
        (["--user", "a:b"], "no name has a colon"),
        (["--user", "a", "--open"], "--open"),
        (["--driver", "mock", "--user", "keeper"], "--user"),
        (["--driver", "mock", "--cloud", "lisbon"], "--cloud"),
        (["--driver", "mock", "--open"], "--open"),
        (["--driver", "mock", "--provider", "http://h"], "Mock has none"),
        (["--driver", "openstack"], "OpenStack needs one"),
        (["--driver", "nonsense"], "there is no driver 'nonsense'"),
        (["--provider", "http://h"], "it goes with --driver"),
        (["--allow-provider", "http://h"], "it goes with --driver"),
        (["--cloud", "faro"], "there is no cloud 'faro'"),
        (["--public-url", "ftp://h"], "http://HOST"),
        (["--public-url", "http://h/?x=<"], "http://HOST"),
        (["--tls-key", "key.pem"], "it goes with --tls-cert"),
        (["--tls-cert", "nowhere.pem", "--port", "0"], "certificate and key cannot be used"),
        (["--host", "nowhere.invalid", "--open"], "'nowhere.invalid'"),
        (["--host", "192.0.2.1", "--open"], "'192.0.2.1'"),
        (["--port", "99999"], "--port"),
        (["--config", "nowhere.yaml"], "there is no file"),
    ],
)
def test_wrong_usage_is_told_in_one_line(fails, options, words):
    code, line = fails(*options)
    assert code == 2
    assert words in line


@pytest.mark.parametrize(
    "option", ["--driver", "--user", "--host", "--provider", "--cloud", "--allow-host"]
)
def test_a_variable_that_is_not_set_opens_nothing(fails, option):
    code, line = fails(option, "")
    assert code == 2
    assert f"{option}: it is empty" in line


def test_without_asyncssh_no_commands_are_run(fails, monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda n, *a: None if n == "asyncssh" else find_spec(n, *a)
    )
    code, line = fails("--allow-run")
    assert code == 2
    assert "pip install 'anabranch-server[ssh]'" in line


def test_without_clouds_it_says_where_to_begin(fails, folder):
    (folder / "anabranch.yaml").unlink()
    code, line = fails()
    assert code == 2
    assert "anabranch clouds discover" in line
    assert "anabranch serve --driver mock" in line


# ------------------------------------------------------------------------------- what comes in


def test_a_head_that_does_not_end_is_cut_off(start):
    daemon = start()
    host, port = re.search(r"//(.*):(\d+)", daemon.url).groups()
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(b"GET /api HTTP/1.1\r\nHost: localhost\r\n")
        with contextlib.suppress(OSError):
            for _ in range(100):
                connection.sendall(b"X-Filler: " + b"x" * 4000 + b"\r\n")
                time.sleep(0.001)
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(100).startswith(b"HTTP/1.1 400 ")
    assert daemon.get("/health")[0] == 200
    many = {f"X-{n}": "x" * 1000 for n in range(40)}
    assert daemon.get("/api", **many)[0] == 200


def test_a_body_before_half_a_head_is_no_part_of_it(start):
    daemon = start(patched="daemon._HEAD_BYTES = 4000")
    host, port = re.search(r"//(.*):(\d+)", daemon.url).groups()
    blob = b"PUT /api/buckets/lisbon/bucket1/one HTTP/1.1\r\nHost: localhost\r\n"
    blob += b"Content-Type: text/plain\r\nContent-Length: 20000\r\n\r\n" + b"x" * 20_000
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(blob + b"GET /health HTTP/1.1\r\nHost: loc")
        said = connection.recv(1000)
        assert said.startswith(b"HTTP/1.1 200 ")
        connection.sendall(b"alhost\r\n\r\n")
        while not said.endswith(b'{"status":"ok"}'):
            said += (part := connection.recv(1000))
            assert part, said


def test_who_says_nothing_or_only_half_is_not_waited_for(start):
    daemon = start(patched="daemon._HEAD_SECONDS = 1.0")
    host, port = re.search(r"//(.*):(\d+)", daemon.url).groups()
    complete = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for sent in (b"", b"GET /api HTTP/1.1\r\nHo", complete + b"GET /health HT"):
        with socket.create_connection((host, int(port)), 10) as connection:
            connection.sendall(sent)
            began = time.monotonic()
            while connection.recv(1000):
                pass
            assert 0.5 < time.monotonic() - began < 5
    with socket.create_connection((host, int(port)), 10) as connection:
        for pause in (1.5, 0.0):  # that is about heads: the connection is kept for the next
            connection.sendall(complete)
            said = b""
            while not said.endswith(b'{"status":"ok"}'):
                said += (part := connection.recv(1000))
                assert part, said
            time.sleep(pause)


def test_garbage_is_answered_and_told_and_a_wish_for_http_2_is_none(start):
    daemon = start()
    upgrade = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMA"}
    assert daemon.get("/health", **upgrade)[0] == 200
    status, headers, body = daemon.get("/", method="HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) > 100
    host, port = re.search(r"//(.*):(\d+)", daemon.url).groups()
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(b"\x16\x03\x01 garbage\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")
    daemon.wait_for("http.server.*Invalid HTTP request")
    assert "pgrade" not in "\n".join(daemon.lines)


def connected(daemon):
    host, port = re.search(r"//(.*):(\d+)", daemon.url).groups()
    return socket.create_connection((host, int(port)), 10)


def seconds_until_closed(connection, sent=b"", pause=0.05):
    """Send again and again until the other side has closed."""
    began = time.monotonic()
    with contextlib.suppress(OSError):
        while time.monotonic() - began < 8:
            connection.sendall(sent)
            time.sleep(pause)
    return time.monotonic() - began


def test_what_follows_an_answer_is_not_waited_for(start):
    daemon = start(patched="daemon._REST_SECONDS = 0.5")
    with connected(daemon) as connection:
        connection.sendall(
            b"PUT /api/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\n"
        )
        assert connection.recv(1000).startswith(b"HTTP/1.1 404 ")
        assert seconds_until_closed(connection, b"x") < 5
    with connected(daemon) as connection:  # that is about what does not come
        for _ in range(3):
            connection.sendall(
                b"PUT /api/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n"
            )
            said = b""
            while not said.endswith(b"</error>\n"):
                said += (part := connection.recv(1000))
                assert part, said
            connection.sendall(b"xyz")
            time.sleep(0.8)


def test_a_trailer_that_does_not_end_is_cut_off(start):
    daemon = start()
    head = b"POST /api/keys HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    for after in (b"0\r\n", b"0\r\nX: ", b"1;"):
        with connected(daemon) as connection:
            connection.sendall(head + after)
            filler = b"x" * 4000 if after != b"0\r\n" else b"X-Filler: " + b"x" * 4000 + b"\r\n"
            assert seconds_until_closed(connection, filler, 0.001) < 5
    with connected(daemon) as connection:
        form = b"name=%s" % (b"k" * 200_000)
        chunks = b"%x\r\n%b\r\n0\r\nX-Sum: 1\r\n\r\n" % (len(form), form)
        kind = b"\r\nContent-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n\r\n"
        connection.sendall(head.replace(b"\r\n\r\n", kind) + chunks)
        assert b"cloud" in connection.recv(4000)


def test_who_reads_nothing_is_not_waited_for(start):
    daemon = start(patched="daemon._UNREAD_SECONDS = 1.0")
    asked = b"GET /api/docs/instances HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with connected(daemon) as connection:
        connection.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            for _ in range(2000):
                connection.sendall(asked * 10)
        time.sleep(2)
        connection.settimeout(5)
        with contextlib.suppress(ConnectionResetError):
            while connection.recv(1_000_000):
                pass
    assert daemon.get("/health")[0] == 200


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = str(folder / "cert.pem"), str(folder / "key.pem")
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=127.0.0.1",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            key,
            "-out",
            cert,
        ],
        check=True,
        capture_output=True,
    )
    return cert, key
