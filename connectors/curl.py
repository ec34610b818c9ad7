"""libcurl, as `pycurl` brings it, with a variable of the environment withheld: it would write TLS secrets to a file."""

import os

_withheld = os.environ.pop("SSLKEYLOGFILE", None)  # read once, when libcurl is loaded

import pycurl as curl  # noqa: E402

if _withheld is not None:
    os.environ["SSLKEYLOGFILE"] = _withheld

__all__ = ["curl"]
