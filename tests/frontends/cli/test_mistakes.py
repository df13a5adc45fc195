"""Bad input: one line that names what, where and the remedy; the right code; no traceback."""

import pytest

ONE = "clouds: {lisbon: {driver: mock}}"


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("clouds: {lisbon: {driver: mook}}", ["'lisbon'", "'driver'", "Did you mean 'mock'?"]),
        ("clouds: {lisbon: {}}", ["'lisbon'", "'driver'", "is required"]),
        (
            "clouds:\n  lisbon: {driver: mock}\n  lisbon: {driver: mock}\n",
            ["'lisbon' stands twice", "line 3", "Rename"],
        ),
        (
            "clouds: {lisbon: {driver: mock, page_sise: 3}}",
            ["'lisbon'", "'page_sise'", "Did you mean 'page_size'?"],
        ),
        ("clouds: {lisbon: {driver: mock, page_size: 0}}", ["'lisbon'", "'page_size'", ">= 1"]),
        (
            "clouds: {lisbon: {driver: openstack, auth: {username: me, password: hunter2}}}",
            ["'lisbon'", "auth_url"],
        ),
        (
            "clouds: {x: {driver: openstack, auth: {auth_url: cloud.x, password: hunter2}}}",
            ["'x'", "auth_url"],
        ),
        ("clouds: [lisbon", ["is no YAML"]),
        ("cluods: {}", ["'cluods'", "Did you mean 'clouds'?"]),
        ("clouds: {}", ["names no clouds", "anabranch clouds discover --write", "anabranch demo"]),
        ("require: most\n" + ONE, ["'require'", "any, all, a number"]),
    ],
)
def test_of_the_configuration(program, folder, file, says):
    (folder / "anabranch.yaml").write_text(file)
    done = program("instances", "list")
    assert (done.code, done.out) == (2, "")
    for word in says:
        assert word in done.error
    assert "hunter2" not in done.err


def test_no_configuration_at_all_tells_how_to_begin(program, folder):
    (folder / "anabranch.yaml").unlink()
    done = program("instances", "list")
    assert done.code == 2
    assert "there is no configuration" in done.error
    assert "anabranch clouds discover --write anabranch.yaml" in done.error
    assert "anabranch demo" in done.error


def test_a_file_that_is_not_there_or_cannot_be_read(program, folder):
    done = program("--config", "none.yaml", "instances", "list")
    assert (done.code, "none.yaml" in done.error) == (2, True)
    done = program("--config", str(folder), "instances", "list")
    assert (done.code, "cannot be read" in done.error) == (2, True)
    done = program("instances", "list", ANABRANCH_CONFIG="other.yaml")
    assert (done.code, "other.yaml" in done.error) == (2, True)


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("instances list --cloud lisbo", 2, "there is no cloud 'lisbo'. Did you mean 'lisbon'?"),
        ("instances list --driver opensack", 2, "no cloud has the driver 'opensack'"),
        ("instances list --filter stat=1", 2, "no field 'stat'. Did you mean 'state'?"),
        ("instances list --filter name", 2, "cannot read 'name'. Write FIELD OPERATOR VALUE"),
        ("instances list --require most", 2, "'most' is none of: any, all, a number"),
        ("instances list --format xml", 2, "'--format'"),
        ("instances list --columns nam", 2, "there is no field 'nam'"),
        ("instances list --sort nam", 2, "there is no field 'nam'"),
        ("instances list --timeout soon", 2, "'--timeout'"),
        ("instances list --timeout 0", 2, "'--timeout'"),
        ("instances list --requre 1", 2, "No such option: --requre"),
        ("instances lst", 2, "No such command 'lst'. Did you mean 'list'? See: anabranch inst"),
        ("instnces list", 2, "No such command 'instnces'. Did you mean 'instances'? See: anab"),
        ("instances show lisbon", 2, "'lisbon' does not name a cloud and an id. Write CLOUD/ID"),
        ("instances show lisbn/inst0", 2, "there is no cloud 'lisbn'. Did you mean 'lisbon'?"),
        ("instances show lisbon/inst9", 1, "lisbon/inst9: there is no instance 'inst9'"),
        ("instances show", 2, "Missing argument 'CLOUD/ID'"),
        ("instances create lisbon", 2, "Missing option '--image'"),
        ("instances create lisbon --image img1 --tag x", 2, "'--tag': 'x' is not NAME=VALUE"),
        ("instances create lisbon --image img1 --user-data @no", 2, "'--user-data': 'no' cannot"),
        ("storage-volumes create lisbon --capacity-gb big", 2, "'--capacity-gb': Expected 'int"),
        ("instances start lisbon/inst0 --cloud x", 2, "No such option: --cloud"),
        ("blobs list lisbon", 2, "'lisbon' does not name a cloud and an id"),
        ("blobs show lisbon/bucket1", 2, "does not name a blob"),
        ("clouds check --cloud nope", 2, "there is no cloud 'nope'"),
        ("capabilities nope", 2, "there is no cloud 'nope'"),
        ("config schema nope", 2, "there is no driver 'nope'"),
    ],
)
def test_on_the_command_line(cli, line, code, says):
    done = cli(line)
    assert (done.code, done.out) == (code, ""), done.err
    assert says in done.error


def test_an_operation_that_is_not_offered(cli, folder):
    (folder / "anabranch.yaml").write_text(
        "clouds: {lisbon: {driver: mock, lacks: [stop_instance, 'create_instance:user_name']}}"
    )
    cli("capabilities", "--probe")
    done = cli("instances", "stop", "lisbon/inst0")
    assert done.code == 1
    assert done.error.startswith("lisbon/inst0: ")


def test_several_wrong_clouds_are_all_told(cli, folder):
    (folder / "anabranch.yaml").write_text(
        "clouds: {a: {driver: mook}, b: {driver: mock, nope: 1}, c: {driver: mock}}"
    )
    done = cli("instances", "list")
    assert done.code == 2
    assert "cloud 'a', field 'driver'" in done.error
    assert "cloud 'b', field 'nope'" in done.error
    assert cli("instances", "list", "--cloud", "c").code == 0, "the others need not be right"


def test_a_bug_is_one_line_unless_asked(cli, monkeypatch):
    def broken(*_args, **_options):
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("anabranch_cli.session.Session.clouds", broken)
    done = cli("instances", "list")
    assert done.code == 1
    assert done.error == "ZeroDivisionError: oops; run with -vv for the traceback"
    done = cli("instances", "list", "-vv")
    assert "Traceback" in done.err
    assert done.err.rstrip().endswith("anabranch: error: ZeroDivisionError: oops")
