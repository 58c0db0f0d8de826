"""`python -m workers.web --port 8000`: the web process alone."""

import logging
import os

import click

from workers.web.server import serve


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=lambda: int(os.environ.get("PORT", "8000")))
def main(host: str, port: int) -> None:
    """Serve webhooks, the API and the page until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    serve(host, port)


if __name__ == "__main__":
    main()
