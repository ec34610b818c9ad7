"""Who carries a chunk's requests: libcurl wherever that will do, threads for what presents a certificate."""

import ssl
import threading
from dataclasses import replace

import pytest

from connectors.oauth2.certificates import client_certificate
from connectors.oauth2.errors import ProviderUnavailable
from connectors.oauth2.http import HttpResponse
from tenants.carriers import carrier
from tests.connectors.client_pki import authority as clients_authority
from tests.connectors.client_pki import client
from tests.connectors.transport.exchanges import to
from tests.connectors.transport.servers import Authority, answering, http, serving

LONG = 60  # seconds, for what normally takes milliseconds


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority.create(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def rules(settings, authority):
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    settings.OUTBOUND_CA_FILE = authority.file


@pytest.fixture
def optional(authority):
    """A server that tells who presented what."""

    def telling(peer):
        while peer.request():
            peer.sock.sendall(http(peer.sock.getpeercert(binary_form=True) or b"nobody"))

    context = authority.context("127.0.0.1")
    context.verify_mode = ssl.CERT_OPTIONAL
    context.load_verify_locations(cadata=clients_authority().pem)
    with serving(telling, context=context) as server:
        yield server


def taken(carrying):
    answers = []
    while carrying.under_way:
        answers += carrying.answers(LONG)
    return answers


@pytest.mark.usefixtures("rules")
def test_a_certificate_is_presented_by_those_who_have_one_and_by_nobody_else(optional):
    party = client()
    plain = to(optional, scheme="https")
    presenting = replace(plain, certificate=client_certificate(party.chain, party.private_key))

    with carrier() as carrying:
        for number in range(10):
            carrying.give(("with", number), presenting)
            carrying.give(("without", number), plain)
        answers = taken(carrying)

    assert sorted(tag for tag, _ in answers) == [(who, n) for who in ("with", "without") for n in range(10)]
    assert {answer.body for (who, _), answer in answers if who == "without"} == {b"nobody"}
    assert len({answer.body for (who, _), answer in answers if who == "with"} - {b"nobody"}) == 1


@pytest.mark.usefixtures("rules")
def test_room_is_shared_by_both(optional):
    party = client()
    presenting = replace(to(optional, scheme="https"), certificate=client_certificate(party.chain, party.private_key))

    with carrier(at_once=5) as carrying:
        assert carrying.room == 5
        carrying.give(1, presenting)
        carrying.give(2, to(optional, scheme="https"))
        assert carrying.room == 3
        assert len(taken(carrying)) == 2
        assert carrying.room == 5


@pytest.mark.usefixtures("rules")
def test_what_goes_wrong_is_an_answer_too():
    with serving(answering(b"", times=1)) as server, carrier() as carrying:
        carrying.give("tag", to(server))
        ((tag, error),) = taken(carrying)

    assert tag == "tag"
    assert isinstance(error, ProviderUnavailable)


def test_who_sends_otherwise_sends_in_threads():
    names = set()

    def send(request):
        names.add(threading.current_thread().name)
        if request == "broken":
            raise RuntimeError
        return HttpResponse(200)

    with carrier(send, at_once=2) as carrying:
        carrying.give("fine", "request")
        carrying.give("broken", "broken")
        answers = dict(taken(carrying))

    assert answers["fine"] == HttpResponse(200)
    assert isinstance(answers["broken"], RuntimeError)
    assert threading.current_thread().name not in names
