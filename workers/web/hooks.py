"""Receivers: a request in, a durable signal, 202 out. One route for each connector; no system is named here."""

import asyncio
import hashlib
import hmac
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.connector import Connector, Headers, Signal, SignatureError, UnreadableError
from pipeline.http.mask import Masker
from pipeline.store.signals import Incoming
from workers.web import answers
from workers.web.intake import FullError, Room, TooLargeError, TooSlowError, read_body, read_headers
from workers.web.metrics import Counts
from workers.web.settings import WebSettings
from workers.web.watcher import Watcher
from workers.web.writer import Item, UnavailableError, Unreadable, Writer

log = logging.getLogger(__name__)

LONGEST_KEY = 500  # characters; an index entry holds 2,700 bytes
LONGEST_DETAIL = 2_000
_PATH_SECRET = re.compile(r"_WEBHOOK_TOKEN(_PREVIOUS)?$")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL's text holds neither NUL nor half of a surrogate pair


@dataclass(frozen=True)
class Desk:
    """What all receivers share."""

    watcher: Watcher
    writer: Writer
    room: Room
    counts: Counts
    masker: Masker
    settings: WebSettings


class Hook:
    """The receiver of one connector."""

    def __init__(self, connector: Connector, env: Mapping[str, str], desk: Desk) -> None:
        self._name, self._desk = connector.name, desk
        self._path_secrets = path_secrets(connector, env)
        suffix = "/{token}" if connector.hook_secret_in_path else ""
        self.route = Route(f"/hooks/{connector.slug}{suffix}", self.post, methods=["POST"], name=connector.name)

    async def post(self, request: Request) -> Response:
        """202 stored · 401 signature · 404 path · 408 slow · 413 large · 503 repeat it; nothing else."""
        if "token" in request.path_params and not _is_one_of(request.path_params["token"], self._path_secrets):
            return self._refuse("wrong_path", answers.problem(404, "Not Found"))
        try:
            with self._desk.room.guest() as guest:
                raw = await read_body(
                    request, guest, limit=self._desk.settings.body_limit, seconds=self._desk.settings.body_seconds
                )
                return await self._keep(read_headers(request), raw)
        except (FullError, UnavailableError):
            return self._refuse("busy", answers.busy())
        except SignatureError as error:
            log.info("a signal was refused", extra={"source": self._name, "error": str(error)})
            return self._refuse("refused", answers.refused())
        except TooLargeError:
            detail = f"At most {self._desk.settings.body_limit} bytes are taken."
            return self._refuse("too_large", answers.problem(413, "Content Too Large", detail))
        except TooSlowError:
            return self._refuse("too_slow", answers.problem(408, "Request Timeout"))
        except ClientDisconnect:
            return self._refuse("disconnected", answers.problem(400, "Bad Request"))

    async def _keep(self, headers: Headers, raw: bytes) -> Response:
        item = self._judge(headers, raw)
        try:
            async with asyncio.timeout(self._desk.settings.store_seconds):
                if not await self._desk.writer.submit(item):
                    raise UnavailableError
        except TimeoutError as error:  # it may be stored yet; the sender's repeat is absorbed
            raise UnavailableError from error
        self._desk.counts.events.labels(self._name, "webhook", _result(item)).inc()
        return answers.stored()

    def _judge(self, headers: Headers, raw: bytes) -> Item:
        """Raises SignatureError; UnavailableError while it cannot be known whether the signature holds."""
        source, now = self._desk.watcher.sources.get(self._name), self._desk.watcher.clock.now()
        if source is None or now is None:
            raise UnavailableError
        kept = self._desk.masker.headers(headers)
        try:
            return Incoming(self._name, storable(source.receive(headers, raw, now)), kept)
        except UnreadableError as error:
            return Unreadable(self._name, storable_key(error.key), raw, kept, _clean(str(error)))
        except SignatureError:
            raise
        except Exception as error:  # a connector's fault is no reason for a 500, nor for believing the sender
            log.exception("a signal could not be judged", extra={"source": self._name})
            raise UnavailableError from error

    def _refuse(self, result: str, response: Response) -> Response:
        self._desk.counts.events.labels(self._name, "webhook", result).inc()
        return response


def path_secrets(connector: Connector, env: Mapping[str, str]) -> tuple[str, ...]:
    """The secrets that may end the connector's address: the present one and the one before it."""
    names = [it.name for it in connector.variables if it.secret and _PATH_SECRET.search(it.name)]
    return tuple(secret for name in names if (secret := env.get(name, "").strip()))


def storable(signal: Signal) -> Signal:
    """The signal with a key that the ledger can hold. Raises UnreadableError for an object that it cannot hold."""
    if signal.object is not None and not _fits(signal.object):
        raise UnreadableError(signal.key, "found an object whose name cannot be stored")
    if signal.position is not None and not -(2**63) <= signal.position < 2**63:
        raise UnreadableError(signal.key, "found a position beyond 64 bits")
    key = storable_key(signal.key)
    return signal if key == signal.key else Signal(key, signal.object, signal.raw, signal.position)


def storable_key(key: str) -> str:
    """The key itself, or the hash of one that is too long or holds what PostgreSQL's text cannot."""
    return key if _fits(key) else hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _fits(text: str) -> bool:
    return len(text) <= LONGEST_KEY and not _UNSTORABLE.search(text)


def _clean(text: str) -> str:
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)[:LONGEST_DETAIL]


def _is_one_of(given: str, secrets: Iterable[str]) -> bool:
    """Every secret is compared, in constant time each."""
    offered = hashlib.sha256(given.encode("utf-8", "surrogatepass")).digest()
    matches = [hmac.compare_digest(offered, hashlib.sha256(secret.encode()).digest()) for secret in secrets]
    return True in matches


def make_masker(connectors: Iterable[Connector], env: Mapping[str, str]) -> Masker:
    """Masks what the connectors' environment calls secret, wherever it stands: a proxy may repeat the whole address."""
    return Masker(
        env[it.name] for connector in connectors for it in connector.variables if it.secret and it.name in env
    )


def _result(item: Item) -> str:
    return "stored" if isinstance(item, Incoming) else "unreadable"
