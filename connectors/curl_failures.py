"""What libcurl's errors mean, in the words of `transport`."""

import errno
import re

from connectors import client_certificates, tls
from connectors.curl import curl
from connectors.deadline import Deadline
from connectors.exchange import AnswerBroken, AnswerTooLarge, NoAnswer
from connectors.failures import HUNG_UP, explained, insecure, unreachable
from connectors.oauth2.errors import LatchkeyError
from connectors.targets import Target

_UNSPECIFIED = 1  # X509_V_ERR_UNSPECIFIED: OpenSSL has found nothing (yet)
_NO_ANSWER = frozenset(
    {curl.E_GOT_NOTHING, curl.E_SEND_ERROR, curl.E_RECV_ERROR, curl.E_ABORTED_BY_CALLBACK, curl.E_COULDNT_CONNECT}
)
_TOO_MUCH = re.compile(r"Too (?:large|many) response headers")
_TOO_LARGE = 100  # CURLE_TOO_LARGE, for which pycurl has no name
_OF_THE_ANSWER = {
    curl.E_FILESIZE_EXCEEDED: AnswerTooLarge("It was too large."),
    _TOO_LARGE: AnswerTooLarge("Its head was too large."),
    curl.E_OUT_OF_MEMORY: AnswerTooLarge("A line of it was too long."),
    curl.E_PARTIAL_FILE: NoAnswer(silent=False),
}
_NO_AUTHORITIES = (
    "The file of the authorities that are trusted here can't be read.",
    "Have the operator check OUTBOUND_CA_FILE and VAR_DIR, and start the workers again.",
)
# "…: error:0A00045C:SSL routines::tlsv13 alert certificate required, errno 0"
_REASON = re.compile(r"error:[0-9A-F]+:[^:]*:[^:]*:([^,]+)")


def meaning(
    code: int,
    message: str,
    target: Target,
    limit: Deadline,
    *,
    sent: bool,
    began: bool,
    status: int,
    trust: int,
    system: int,
) -> LatchkeyError:
    """What a transfer that ended with this code (libcurl-errors(3)) and message came to.

    `sent`: the request went out; `began`: something of an answer came, with `status` if that was in it; `trust`: what
    OpenSSL found about the certificate; `system`: the number of the system's error.
    """
    if code == curl.E_OPERATION_TIMEDOUT:
        return explained(TimeoutError(), target, limit)
    if code == curl.E_COULDNT_CONNECT and not sent:
        return unreachable(target.host, target.port, is_refused=system == errno.ECONNREFUSED)
    reason = _reason(message)
    if reason in client_certificates.ALERTS:
        return client_certificates.turned_down(reason, target.authority, presented=False)
    if code in (curl.E_PEER_FAILED_VERIFICATION, curl.E_SSL_CONNECT_ERROR, curl.E_SSL_CIPHER):
        return insecure(target.host, *_distrust(message, reason, trust, target.host), presents=False)
    if code == curl.E_SSL_CACERT_BADFILE:
        return insecure(target.host, *_NO_AUTHORITIES, presents=True)  # our trouble, not the endpoint's
    if code == curl.E_RECV_ERROR and _TOO_MUCH.match(message):
        return explained(AnswerTooLarge("Its head was too large."), target, limit)
    if code in _NO_ANSWER:
        return explained(NoAnswer(silent=not began), target, limit)
    broken = AnswerBroken("It was not HTTP that can be understood.", status=status or None)
    return explained(_OF_THE_ANSWER.get(code, broken), target, limit)


def _distrust(message: str, reason: str, trust: int, host: str) -> tuple[str, str]:
    """Why, and what to do."""
    if trust > _UNSPECIFIED:
        return tls.distrusted(trust, message, host)
    if "subject name" in message:  # libcurl compares the name by itself
        return tls.distrusted(tls.WRONG_NAME, message, host)
    return tls.handshake_failed(reason) if reason else HUNG_UP


def _reason(message: str) -> str:
    """OpenSSL's name for what went wrong, as Python's `ssl` spells it; empty if it gave none."""
    found = _REASON.search(message)
    # Newer versions say "ssl/tls" where older ones, and Python, say "sslv3".
    return found[1].strip().replace(" ", "_").upper().replace("SSL/TLS_", "SSLV3_") if found else ""
