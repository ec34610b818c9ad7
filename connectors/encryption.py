"""Texts to ciphertexts and back, with the keys of FERNET_KEYS: the first encrypts, all decrypt.

A key may be any text: what Fernet uses is derived from it by HKDF (RFC 5869), as django-fernet-fields does, so a weak
key stays weak. `Fernet.generate_key()` makes good ones.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from fernet_fields.hkdf import derive_fernet_key

from connectors.oauth2.errors import LatchkeyError


class SecretUnreadable(LatchkeyError):
    """What is stored was encrypted with a key that FERNET_KEYS doesn't hold, or was damaged.

    Not permanent: once the operator has put the key back, everything goes on by itself.
    """

    code = "secret_unreadable"


@lru_cache(maxsize=8)
def _ciphers(keys: tuple[str, ...]) -> tuple[Fernet, MultiFernet]:
    fernets = [Fernet(derive_fernet_key(key)) for key in keys]  # a derivation costs as much as several decryptions
    return fernets[0], MultiFernet(fernets)


def _of_settings() -> tuple[Fernet, MultiFernet]:
    keys: Sequence[str] = settings.FERNET_KEYS
    return _ciphers(tuple(keys))


def encrypt(text: bytes) -> bytes:
    return encrypter()(text)


def encrypter() -> Callable[[bytes], bytes]:
    """`encrypt` for many: settings are looked at but once."""
    return _of_settings()[0].encrypt


def decrypt(ciphertext: bytes, *, what: str = "A stored secret") -> str:
    """The text; raises SecretUnreadable, which calls the thing by `what`."""
    return decrypter()(ciphertext, what)


def decrypter() -> Callable[[bytes, str], str]:
    """`decrypt` for many: settings are looked at but once."""
    return partial(_decrypted, *_of_settings())


def _decrypted(first: Fernet, every: MultiFernet, ciphertext: bytes, what: str) -> str:
    for cipher in (first, every):  # the first is nearly always the one
        try:
            return cipher.decrypt(ciphertext).decode()
        except InvalidToken:
            pass
    raise SecretUnreadable(
        f"{what} could not be read.",
        "None of the keys in FERNET_KEYS decrypts it: a key is missing there, or the stored value is damaged.",
        "Put the key that it was written with back into FERNET_KEYS, after the present first one.",
    )


def is_current(ciphertext: bytes) -> bool:
    """Whether the first key decrypts it, so that the others aren't needed for it."""
    try:
        _of_settings()[0].decrypt(ciphertext)
    except InvalidToken:
        return False
    return True


def renewed(ciphertext: bytes) -> bytes:
    """The same text under the first key, with the time of its first encryption; raises SecretUnreadable."""
    try:
        return _of_settings()[1].rotate(ciphertext)
    except InvalidToken:
        pass
    raise SecretUnreadable("A stored secret could not be read.", "None of the keys in FERNET_KEYS decrypts it.")
