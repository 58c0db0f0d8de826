"""Telling the workers that an operator made work; without a broker the sweep finds it."""

from collections.abc import Iterable

from workers.cli.attach import Attached, tls


def wake(attached: Attached, names: Iterable[str]) -> None:
    """Ring for `ingest.<source>`, `transform` or targets. Best effort: a hint may be lost at any time."""
    wanted = sorted(set(names))
    if not wanted or attached.redis_url is None:
        return
    from pipeline.bell import RedisBell  # noqa: PLC0415 -- Celery costs half a second that most commands need not pay
    from pipeline.limits import open_redis  # noqa: PLC0415 -- see above
    from workers.app import make_app  # noqa: PLC0415 -- see above
    from workers.hints import Hints  # noqa: PLC0415 -- see above

    options = tls(attached)
    with open_redis(attached.redis_url, **options["client"]) as client:
        app = make_app(attached.redis_url, prefix=attached.prefix, tls=options["celery"].get("broker_use_ssl"))
        Hints(app, RedisBell(client, prefix=attached.prefix)).wake(wanted)
