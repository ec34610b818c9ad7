import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import environment, service_urls
from config.environment import Environment, Fault

ROOT = Path(__file__).parents[2]


def test_a_value_may_lie_in_a_file(tmp_path):
    (tmp_path / "secret").write_text("s3cret\n")
    env = Environment({"SECRET_KEY_FILE": str(tmp_path / "secret")})

    assert env.text("SECRET_KEY") == "s3cret"
    assert env.faults == []


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_a_file_without_a_readable_value_is_refused_by_name(tmp_path, content):
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    env = Environment({"SECRET_KEY_FILE": str(path)})

    env.text("SECRET_KEY")

    assert len(env.faults) == 1
    assert env.faults[0].startswith("SECRET_KEY_FILE ")
    assert str(path) in env.faults[0]


def test_a_value_given_twice_is_refused(tmp_path):
    env = Environment({"SECRET_KEY": "a", "SECRET_KEY_FILE": str(tmp_path / "b")})

    env.text("SECRET_KEY")

    assert env.faults == ["SECRET_KEY is set, and SECRET_KEY_FILE too. Keep one of them."]


def test_what_is_given_wins_over_what_was_left_behind():
    env = Environment({"PUBLIC_URL": "a"}, otherwise={"PUBLIC_URL": "b", "SANDBOX": "1"})

    assert env.text("PUBLIC_URL") == "a"
    assert env.text("SANDBOX") == "1"


def test_all_faults_are_told_at_once():
    env = Environment({"DEBUG": "maybe", "OUTBOUND_TIMEOUT": "soon"})
    env.parsed("DEBUG", environment.flag, False)
    env.parsed("OUTBOUND_TIMEOUT", environment.seconds(1, 120), 15.0)

    with pytest.raises(ImproperlyConfigured) as refusal:
        env.refuse_faults()

    assert str(refusal.value).splitlines() == [
        "DEBUG is 'maybe', which is neither yes nor no. Write 1 or 0.",
        "OUTBOUND_TIMEOUT is 'soon', which is no number of seconds. Write one, such as 15.",
    ]


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (environment.flag, "ture"),
        (environment.seconds(1, 120), "nan"),
        (environment.seconds(1, 120), "inf"),
        (environment.seconds(1, 120), "-5"),
        (environment.seconds(1, 120), "0"),
        (environment.seconds(1, 120), "1e9"),
        (environment.seconds(1, 120), "121"),
        (environment.signing_key, "changeme"),
        (environment.signing_key, "x" * 64),
        (environment.encryption_keys, "k"),
        (environment.encryption_keys, "abcdefghijklmnopqrstuvwxyz0123456789,short"),
        (environment.encryption_keys, "abcdefghijklmnopqrstuvwxyz0123456789," * 2),
        (environment.public_url, "latchkey.example.com"),
        (environment.public_url, "ftp://latchkey.example.com"),
        (environment.public_url, "https://"),
        (environment.public_url, "https://host:port"),
        (environment.public_url, "https://host/below"),
        (environment.public_url, "https://user:word@host"),
        (environment.public_url, "https://[::1"),
        (environment.host_names, "https://a.example.com"),
        (environment.host_names, "a.example.com:8000"),
        (environment.host_names, "a b"),
        (environment.outbound_hosts, "https://auth.internal"),
        (environment.outbound_hosts, "auth.internal:0"),
        (environment.outbound_hosts, "auth.internal:99999"),
        (environment.outbound_hosts, "10.0.0.1/8"),
        (environment.outbound_hosts, "10.0.0.999"),
        (environment.outbound_hosts, "*"),
        (environment.outbound_hosts, "[10.0.0.0]/8"),
        (environment.host_names, ","),
        (environment.seconds(1, 120), "\u0663"),
        (environment.days(1, 10), "\u0663"),
        (service_urls.database, "mysql://user:word@host/name"),
        (service_urls.database, "postgres://host:5432/"),
        (service_urls.database, "sqlite:///"),
        (service_urls.database, "postgres://user:word@host/name?foo=bar"),
        (service_urls.broker, "redis://host:6379/x"),
        (service_urls.broker, "redis://host:0/0"),
        (service_urls.broker, "redis://host:6379/0/1"),
        (service_urls.broker, "amqp://host"),
        (service_urls.broker, "redis://:word@host:port/0"),
        (service_urls.broker, "redis://host:99999/0"),
        (environment.pem_file, "/nonexistent/ca.pem"),
    ],
)
def test_nonsense_is_refused(parse, text):
    with pytest.raises(Fault):
        parse(text)


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (environment.flag, "Yes", True),
        (environment.flag, "0", False),
        (environment.seconds(1, 120), "2.5", 2.5),
        (environment.public_url, "https://a.example.com:8443/", "https://a.example.com:8443"),
        (environment.public_url, "http://[::1]:8000", "http://[::1]:8000"),
        (environment.host_names, ".example.com, 127.0.0.1,[::1],*", [".example.com", "127.0.0.1", "[::1]", "*"]),
        (environment.outbound_hosts, "a.internal, b:8443,10.0.0.0/8", ["a.internal", "b:8443", "10.0.0.0/8"]),
        (environment.outbound_hosts, "::1,[::1]:8000,fd00::/8", ["::1", "[::1]:8000", "fd00::/8"]),
        (environment.outbound_hosts, "[::1]", ["::1"]),
        (service_urls.broker, "redis://host", "redis://host"),
        (service_urls.broker, "rediss://:word@host:6380/1?x=y", "rediss://:word@host:6380/1?x=y"),
        (service_urls.broker, "redis+socket:///run/redis.sock", "redis+socket:///run/redis.sock"),
    ],
)
def test_sense_is_understood(parse, text, value):
    assert parse(text) == value


def test_a_password_with_reserved_characters_survives():
    parsed = service_urls.database("postgres://latch:p%40ss%2Fword@db.internal:5433/keys?sslmode=require")

    assert (parsed["USER"], parsed["PASSWORD"], parsed["HOST"]) == ("latch", "p@ss/word", "db.internal")
    assert parsed["OPTIONS"] == {"sslmode": "require"}


def test_options_of_django_and_of_postgresql_go_with_a_database():
    parsed = service_urls.database("postgres://u:p@host/name?assume_role=owner&application_name=latchkey")

    assert parsed["OPTIONS"] == {"assume_role": "owner", "application_name": "latchkey"}


def test_an_option_that_nobody_knows_is_named_without_the_address():
    with pytest.raises(Fault) as refusal:
        service_urls.database("postgres://user:hunter2@host/name?sslmod=require")

    assert "'sslmod'" in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


def test_a_network_with_bits_of_a_host_is_told_what_it_would_be():
    with pytest.raises(Fault, match=r"holds '10\.20\.0\.1/16', whose network is 10\.20\.0\.0/16\. Write"):
        environment.outbound_hosts("10.20.0.1/16")


def test_a_folder_may_be_missing_but_is_no_file(tmp_path):
    (tmp_path / "file").write_text("")

    assert environment.folder(tmp_path)("a/b") == tmp_path / "a" / "b"
    for wrong in ("file", "file/below"):
        with pytest.raises(Fault, match="is a file"):
            environment.folder(tmp_path)(wrong)


def test_a_file_of_certificates_must_hold_one(tmp_path):
    (tmp_path / "ca.pem").write_text("nothing of the kind")

    with pytest.raises(Fault, match="holds no certificate"):
        environment.pem_file(str(tmp_path / "ca.pem"))


def test_a_refused_secret_is_not_shown():
    env = Environment({"SECRET_KEY": "hunter2", "DATABASE_URL": "mysql://user:hunter2@host/name"})
    env.parsed("SECRET_KEY", environment.signing_key, "")
    env.parsed("DATABASE_URL", service_urls.database, {})

    assert len(env.faults) == 2
    assert "hunter2" not in "".join(env.faults)


def test_a_file_that_should_name_the_folder_and_cannot_be_read_stops_a_command(tmp_path):
    done = manage("check", DEBUG="1", VAR_DIR_FILE=str(tmp_path / "missing"))

    assert done.returncode == 1
    assert "VAR_DIR_FILE can't be read" in done.stderr


def test_a_command_stops_with_the_faults_and_no_traceback(tmp_path):
    done = manage("check", DEBUG="maybe", VAR_DIR=str(tmp_path))

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "Latchkey can't start.",
        "DEBUG is 'maybe', which is neither yes nor no. Write 1 or 0.",
    ]


def test_a_file_where_the_folder_should_be_stops_a_command_and_no_traceback_is_shown(tmp_path):
    (tmp_path / "var").write_text("")

    done = manage("check", DEBUG="1", VAR_DIR=str(tmp_path / "var"))

    assert done.returncode == 1
    assert done.stderr.startswith("Latchkey can't start.\nVAR_DIR names ")
    assert len(done.stderr.splitlines()) == 2


def test_a_folder_that_cannot_be_made_is_told():
    done = manage("migrate", DEBUG="1", VAR_DIR="/proc/nowhere")

    assert done.returncode == 1
    assert done.stderr.startswith(
        "Latchkey can't start.\nVAR_DIR is /proc/nowhere, where the folder /proc/nowhere can't"
    )
    assert done.stderr.endswith("Name a folder that this user may write to.\n")


@pytest.mark.parametrize("command", [("create_api_key", "k"), ("rotate_encryption_keys",), ("connectors", "export")])
@pytest.mark.parametrize("url", ["sqlite:////nonexistent/a.sqlite3", "postgres://u:hunter2@127.0.0.1:1/db"])
def test_a_database_that_cannot_be_used_is_told_without_a_traceback(tmp_path, command, url):
    keys = dict.fromkeys(("SECRET_KEY", "FERNET_KEYS"), "0123456789abcdefghijklmnopqrstuvwxyz")

    done = manage(*command, **keys, VAR_DIR=str(tmp_path), DATABASE_URL=url)

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "manage.py migrate" in done.stderr
    assert "hunter2" not in done.stderr


def test_a_server_that_does_not_answer_is_not_taken_for_a_database_that_is_not_there_yet(tmp_path):
    done = manage("connectors", "export", DEBUG="1", VAR_DIR=str(tmp_path), DATABASE_URL="postgres://u@127.0.0.1:1/db")

    assert done.stderr.startswith("The database can't be used: ")
    assert "DATABASE_URL" in done.stderr


def manage(*arguments, **environment_variables):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "DJANGO_SETTINGS_MODULE": "config.settings", **environment_variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
