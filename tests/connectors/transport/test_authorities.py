"""Whom both carriers trust when nobody names an authority: those of the system, however it keeps them."""

import shutil
from dataclasses import replace
from hashlib import sha1
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from connectors import tls
from connectors.multiplexer import multiplexer
from connectors.oauth2.errors import ProviderUnavailable
from tests.connectors.transport.exchanges import LOCAL, here, to
from tests.connectors.transport.servers import answering, serving


@pytest.fixture
def system(tmp_path, monkeypatch):
    """The system's file and folder of authorities, both empty; nothing of other tests is remembered."""
    file, folder = tmp_path / "cert.pem", tmp_path / "certs"
    file.touch()
    folder.mkdir()
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    monkeypatch.setenv("SSL_CERT_DIR", str(folder))
    monkeypatch.setattr(tls, "_contexts", {})
    tls.bundle.cache_clear()
    yield file, folder
    tls.bundle.cache_clear()


def hashed(authority: str, folder: Path) -> None:
    """Put it where OpenSSL looks for it: under the hash of its name, in which letters are small (X509_NAME_hash)."""
    subject = x509.load_pem_x509_certificate(Path(authority).read_bytes()).subject
    (common,) = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    parts = bytes.fromhex("0603550403") + _der(0x0C, str(common.value).lower().encode())
    digest = sha1(_der(0x31, _der(0x30, parts)), usedforsecurity=False).digest()
    shutil.copy(authority, folder / f"{int.from_bytes(digest[:4], 'little'):08x}.0")


def _der(tag: int, content: bytes) -> bytes:
    return bytes([tag, len(content)]) + content


def status(send, authority, pool):
    with serving(answering(), context=authority.context("api.example")) as server:
        return send(to(server, host="api.example", scheme="https"), outbound=LOCAL, resolve=here, pool=pool).status


def test_those_in_the_systems_file_are_trusted(send, system, authority, pool):
    file, _ = system
    shutil.copy(authority.file, file)

    assert status(send, authority, pool) == 200


def test_those_in_the_systems_folder_are_trusted_beside_a_file_with_none(send, system, authority, pool):
    _, folder = system
    hashed(authority.file, folder)

    assert status(send, authority, pool) == 200


def test_where_the_system_has_none_those_of_certifi_are_trusted(send, system, authority, pool):
    with pytest.raises(ProviderUnavailable, match="signed by an authority that isn't trusted here"):
        status(send, authority, pool)

    assert tls.context().cert_store_stats()["x509_ca"] > 100


def test_authorities_that_vanish_are_put_back(settings, tmp_path, authority):
    settings.VAR_DIR = tmp_path
    rules = replace(LOCAL, ca_file=authority.file)
    tls.bundle.cache_clear()
    with serving(answering(), context=authority.context("127.0.0.1")) as server:
        request = to(server, scheme="https")
        before = said(rules, request)
        for file in tmp_path.iterdir():
            file.unlink()
        after = said(rules, request)

    assert (before.status, after.status) == (200, 200)


def test_authorities_lie_in_a_folder_of_any_name(send, settings, tmp_path, authority, pool):
    settings.VAR_DIR = tmp_path / 'Übung\'s "folder" 例'
    named = settings.VAR_DIR / "behörde.pem"
    settings.VAR_DIR.mkdir()
    shutil.copy(authority.file, named)
    tls.bundle.cache_clear()
    with serving(answering(), context=authority.context("127.0.0.1")) as server:
        answer = send(to(server, scheme="https"), outbound=replace(LOCAL, ca_file=str(named)), pool=pool)

    assert answer.status == 200


def said(rules, request):
    """The answer in a thread's own way: what it has made for earlier requests is used again."""
    with multiplexer(rules) as side_by_side:
        side_by_side.give("mine", request)
        while not (answers := side_by_side.answers(20)):
            pass
    return answers[0][1]


def test_where_nothing_can_be_written_in_var_dir_they_are_kept_elsewhere(settings, tmp_path, authority):
    settings.VAR_DIR = tmp_path / "file" / "var"
    (tmp_path / "file").touch()
    tls.bundle.cache_clear()

    kept = Path(tls.bundle(authority.file).file).read_text()

    assert Path(authority.file).read_text() in kept
