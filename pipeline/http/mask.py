"""Keeps secrets out of everything that is recorded: known values wherever they stand, and members named like one."""

import base64
import binascii
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Self
from urllib.parse import quote

from pipeline.connector import Account

MASK = "***"
BODY_CAP = 16 * 1024  # of a recorded body
_SLACK = 4 * 1024  # looked at beyond the cap, so that a secret cut in half is still seen whole
_WORDS = (
    r"(?:authorization|cookie|token|secret|passw(?:or)?d|credential|api[-_]?key|private[-_]?key|assertion|signature)"
)
_NAME = re.compile(_WORDS, re.IGNORECASE)
_MEMBER = re.compile(
    rf'({_WORDS}[\w-]*"\s*:\s*)("(?:[^"\\]|\\.)*(?:"|\Z)|\[[^\]]*(?:\]|\Z)|[^\s,}}\]"\[{{]+)', re.IGNORECASE
)
_PARAMETER = re.compile(rf"((?:^|[?&])[^=&#\s\"]{{0,60}}{_WORDS}[^=&#\s\"]{{0,60}}=)([^&#\s\"'<>\\]+)", re.IGNORECASE)
_SHORTEST = 6  # shorter values would mask half of every text
_TELLING = 4  # characters of a secret's beginning that are already too many


class Masker:
    """Masks for one run: it also remembers the secrets that it meets, an upload token in an answer for example."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._known: dict[str, None] = {}
        for secret in secrets:
            self.learn(secret)

    def copy(self) -> Self:
        """One that may learn more without telling this one."""
        other = type(self)(())
        other._known.update(self._known)  # noqa: SLF001 -- of its own kind
        return other

    def learn(self, secret: str) -> None:
        """From now on this value is masked wherever it stands, also as a URL, JSON, or JSON within JSON spells it."""
        if len(secret) >= _SHORTEST and secret not in self._known:
            once = json.dumps(secret)[1:-1]
            self._known.update(dict.fromkeys((secret, once, json.dumps(once)[1:-1], quote(secret, safe=""))))

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {name: MASK if _NAME.search(name) else self.text(value) for name, value in headers.items()}

    def url(self, url: str) -> str:
        return self.text(_PARAMETER.sub(self._hide, url) if "?" in url else url)

    def body(self, body: bytes) -> str:
        """The first 16 kB as text, masked."""
        text = body[: BODY_CAP + _SLACK].decode("utf-8", errors="replace")
        text = _MEMBER.sub(self._hide, text)
        return self.text(_PARAMETER.sub(self._hide, text) if "=" in text else text)[:BODY_CAP]

    def excerpt(self, text: str) -> str:
        """A text that was cut off somewhere, perhaps in the middle of a secret: its beginning goes too."""
        text = self.text(text)
        for secret in self._known:
            begun = (n for n in range(min(len(secret), len(text)), _TELLING - 1, -1) if text.endswith(secret[:n]))
            if length := next(begun, 0):
                text = text[:-length] + MASK
        return text

    def _hide(self, found: re.Match[str]) -> str:
        for secret in found[2].strip('"[]').split('","'):
            self.learn(secret)
        return f'{found[1]}"{MASK}"' if found[2][0] in '"[' else found[1] + MASK

    def text(self, text: str) -> str:
        """Any text, without the secrets known so far."""
        for secret in self._known:
            if secret in text:
                text = text.replace(secret, MASK)
        return text


def without_members(body: bytes, names: Collection[str]) -> bytes:
    """A JSON body without the members of these names, at any depth; the same object where it holds none."""
    if not any(name.encode() in body for name in names):
        return body
    try:
        return json.dumps(_dropped(json.loads(body), names), ensure_ascii=False, separators=(",", ":")).encode()
    except (ValueError, RecursionError):  # no JSON: nobody can read members out of it, nor may anybody see them
        return b""


def _dropped(value: Any, names: Collection[str]) -> Any:
    if isinstance(value, dict):
        return {name: _dropped(member, names) for name, member in value.items() if name not in names}
    return [_dropped(item, names) for item in value] if isinstance(value, list) else value


def secrets_of(account: Account) -> tuple[str, ...]:
    """The values of an account that must never be recorded."""
    found = [*_of_headers(account.headers)]
    if account.token is not None:
        found += _of_headers({name: str(value) for name, value in account.token.headers})
        found += [value for name, value in account.token.query if _NAME.search(name)]
        found += _named_secrets(account.token.body)
    return tuple(found)


def _of_headers(headers: Mapping[str, str]) -> Iterator[str]:
    """A header's value, its credentials without the scheme, and what basic authentication hides in base64."""
    for name, value in headers.items():
        if not _NAME.search(name):
            continue
        scheme, _, credentials = value.partition(" ")
        yield from (value, credentials)
        if scheme.lower() == "basic":
            yield from _of_basic(credentials)


def _of_basic(credentials: str) -> Iterator[str]:
    try:
        yield base64.b64decode(credentials, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):  # not what it says it is; the whole value is masked anyway
        return


def _named_secrets(body: Any) -> Iterator[str]:
    if isinstance(body, Mapping):
        for name, value in body.items():
            if isinstance(value, str) and _NAME.search(str(name)):
                yield value
            else:
                yield from _named_secrets(value)
