"""Bodies sent in chunks, their length not said beforehand (RFC 9112 section 7.1): Django takes them for none."""

from io import BytesIO

from django.conf import settings
from django.http import HttpRequest

from integrations.api.errors import BadRequest


def read(request: HttpRequest) -> BadRequest | None:
    """Have such a body at hand as if its length had been said; what is wrong with it, if it can't be had.

    One byte more than the platform takes is read at most, which is then refused like any other body that is too large.
    """
    if "Transfer-Encoding" not in request.headers or request.META.get("CONTENT_LENGTH"):
        return None
    # The web server's word that the stream ends where the body does; without it, reading may wait for ever.
    if not request.META.get("wsgi.input_terminated"):
        return BadRequest("The request's body can't be read.", "It comes in chunks.", "Send it with a Content-Length.")
    try:
        body = request.META["wsgi.input"].read((settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0) + 1)
    except OSError:
        return BadRequest("The request's body can't be read.", "It ended early, or its chunks are not well-formed.")
    request.META["CONTENT_LENGTH"] = str(len(body))
    request._stream = BytesIO(body)  # where Django's own `body` reads
    return None
