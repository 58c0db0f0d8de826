"""Access tokens (decisions D11): in memory a process, encrypted in Redis for the others, renewed by one at a time."""

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pipeline.answers import judge_by_status
from pipeline.connector import Account
from pipeline.errors import AuthError, TransientError
from pipeline.limits import RedisError
from pipeline.plan import Answer, Request, Verdict

Fetch = Callable[[], Answer]

_EARLY_SECONDS = 60.0  # renewed so long before its end
_UNTOLD_SECONDS = 300.0  # lifetime where the answer names none (RFC 6749, 5.1 only recommends it)
_LOCK_MILLISECONDS = 10_000
_WAIT_SECONDS = 2.0  # for somebody else's renewal
_LOOK_SECONDS = 0.05
_NONCE = 12  # bytes, AES-GCM


class SharedCache(Protocol):
    """What of a Redis client is used here."""

    def get(self, name: str) -> Any: ...

    def set(
        self, name: str, value: bytes, *, ex: int | None = None, px: int | None = None, nx: bool = False
    ) -> Any: ...

    def delete(self, *names: str) -> Any: ...


@dataclass(frozen=True)
class _Token:
    """An access token; the times are seconds since 1970. Its text stays out of every repr."""

    value: str
    renew_at: float

    def __repr__(self) -> str:
        return f"_Token(renew_at={self.renew_at})"

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.value}"}


class _Slot:
    """What a process knows of one account's token."""

    def __init__(self) -> None:
        self.lock = threading.Lock()  # held while renewing: threads wait for the one that fetches
        self.token: _Token | None = None
        self.refused = ""  # the last one that a 401 came back for; another process may still hold it for good


class Tokens:
    """The tokens of all accounts; one a process, shared by its threads. Works without Redis.

    `prefix` stands before every Redis key, `secret_key` is CASEBRIDGE_SECRET_KEY.
    """

    def __init__(
        self,
        redis: SharedCache | None,
        secret_key: str,
        *,
        prefix: str = "",
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._redis, self._prefix, self._now, self._sleep = redis, prefix, now, sleep
        key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"casebridge access tokens").derive(
            secret_key.encode()
        )
        self._cipher = AESGCM(key)
        self._slots: dict[str, _Slot] = {}
        self._slots_lock = threading.Lock()

    def authorize(self, account: Account, fetch: Fetch) -> Mapping[str, str]:
        """The account's headers, with a living token where it logs in by tokens; `fetch` sends `account.token`.

        Raises AuthError when the token is refused, TransientError when there is none right now, and what `fetch`
        raises.
        """
        if account.token is None:
            return account.headers
        name = self._name(account, account.token)
        slot = self._slot(name)
        token = slot.token
        if token is None or self._now() >= token.renew_at:
            with slot.lock:
                token = self._living(slot) or self._renewed(name, slot, fetch)
                slot.token = token
        return {**account.headers, **token.headers}

    def drop(self, account: Account, refused: Mapping[str, str] | None = None) -> None:
        """A 401 came back for these headers. A token that is newer than them stays."""
        if account.token is None:
            return
        slot = self._slot(self._name(account, account.token))
        with slot.lock:
            if slot.token is not None and (refused is None or _carries(refused, slot.token)):
                slot.refused, slot.token = slot.token.value, None

    def _living(self, slot: _Slot) -> _Token | None:
        token = slot.token
        return token if token is not None and self._now() < token.renew_at else None

    def _renewed(self, name: str, slot: _Slot, fetch: Fetch) -> _Token:
        """Somebody else's token out of Redis, or our own; whoever gets the lock fetches, the others wait a little."""
        if self._redis is None:
            return self._fetched(fetch)
        try:
            token = self._shared(name, slot) or self._awaited(name, slot)
        except RedisError:
            return self._fetched(fetch)
        if token is not None:
            return token
        try:
            token = self._fetched(fetch)
            self._share(name, token)
        finally:
            self._unlock(name)
        return token

    def _awaited(self, name: str, slot: _Slot) -> _Token | None:
        """None: it is on us to fetch, because we hold the lock or its holder takes too long."""
        assert self._redis is not None
        until = self._now() + _WAIT_SECONDS
        while not self._redis.set(f"{name}:lock", b"1", px=_LOCK_MILLISECONDS, nx=True):
            if self._now() >= until:
                return None
            self._sleep(_LOOK_SECONDS)
            if token := self._shared(name, slot):
                return token
        return self._shared(name, slot)  # the last holder may have ended between our look and our lock

    def _fetched(self, fetch: Fetch) -> _Token:
        answer = fetch()
        if answer.status in (400, 401, 403):  # invalid_client, invalid_grant (RFC 6749, 5.2)
            raise AuthError(f"the log-in is refused ({answer.status})")
        outcome = judge_by_status(_FETCH, answer)
        if outcome.verdict is not Verdict.DONE:
            raise TransientError(f"no token ({answer.status})", retry_after=outcome.retry_after_seconds)
        return self._parsed(answer)

    def _parsed(self, answer: Answer) -> _Token:
        try:
            value = str(answer.json["access_token"])
            seconds = float(answer.json.get("expires_in") or _UNTOLD_SECONDS)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise TransientError("the log-in's answer holds no token") from error
        return _Token(value, self._now() + max(seconds - _EARLY_SECONDS, seconds / 2))

    def _shared(self, name: str, slot: _Slot) -> _Token | None:
        """The token in Redis, unless it is old, refused, or written under another key."""
        assert self._redis is not None
        sealed = self._redis.get(name)
        if not sealed:
            return None
        try:
            opened = json.loads(self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], name.encode()))
        except (InvalidTag, ValueError):
            return None
        token = _Token(opened["token"], opened["renew_at"])
        return token if token.value != slot.refused and self._now() < token.renew_at else None

    def _share(self, name: str, token: _Token) -> None:
        assert self._redis is not None
        opened = json.dumps({"token": token.value, "renew_at": token.renew_at}).encode()
        nonce = os.urandom(_NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, opened, name.encode())
        try:
            self._redis.set(name, sealed, ex=max(int(token.renew_at - self._now()), 1))
        except RedisError:
            return  # the others fetch for themselves

    def _unlock(self, name: str) -> None:
        """Perhaps not ours any more after ten seconds; then two processes fetch, which does no harm."""
        assert self._redis is not None
        try:
            self._redis.delete(f"{name}:lock")
        except RedisError:
            return  # it ends by itself

    def _slot(self, name: str) -> _Slot:
        with self._slots_lock:
            return self._slots.setdefault(name, _Slot())

    def _name(self, account: Account, request: Request) -> str:
        """By the credentials too: after a rotation nobody takes a token of the old ones."""
        credentials = repr((account.root_url, request.path, request.query, request.headers, request.body))
        return f"{self._prefix}token:{account.system}:{hashlib.sha256(credentials.encode()).hexdigest()[:16]}"


_FETCH = Request("token", "POST", "/")  # for judging: a token's answer is JSON


def _carries(headers: Mapping[str, str], token: _Token) -> bool:
    return headers.get("authorization") == token.headers["authorization"]
